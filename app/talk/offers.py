"""What the chat's commands can be completed with."""

from collections.abc import Iterable, Sequence

from lmdeck.model.conversation import ChatPreset, Conversation
from lmdeck.model.parameters import accepted
from lmdeck.model.slash import Offers
from lmdeck.state.deck import DeckState
from lmdeck.state.views import chat_targets
from lmdeck.talk.answering import model_of


def offers(
    state: DeckState,
    target: str | None,
    conversation: Conversation,
    presets: Sequence[ChatPreset],
    tools: Iterable[str],
) -> Offers:
    """For this conversation with this target: instances first, then the models on disk."""
    instances = chat_targets(state)
    models = (model.key for model in state.models or () if model.key not in instances)
    parameters = accepted(conversation.endpoint, model_of(state, target) if target else None)
    return Offers(
        models=(*instances, *models),
        parameters={each.name: each.help for each in parameters},
        values={each.name: each.choices for each in parameters if each.choices},
        presets=tuple(preset.name for preset in presets),
        tools=tuple(tools),
    )

"""The live forecast under a form: asks for it when the settings have come to rest, and shows what is known."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer

from lmdeck.model.load import LoadRequest
from lmdeck.screens import intents
from lmdeck.screens.forecast import Forecast
from lmdeck.widgets.painting import Painting

WEIGH_S, ASK_S = 0.1, 0.8
"""How long nothing must change before a forecast, and before LM Studio's own figure, is asked for."""


class ForecastView(Vertical):
    """Bars, verdict and one-key choices; `details` is shown wherever there is room for it. Posts `Weigh`, and
    `AskLmStudio` where there is an `lms` to ask."""

    DEFAULT_CSS = "ForecastView { height: auto; }"

    def __init__(self, cli: bool) -> None:
        super().__init__(id="forecast")
        self.told = Forecast(cli)
        self.details = Painting(id="details")
        self._cli = cli
        self._bars, self._verdict, self._choices = Painting(id="bars"), Painting(id="verdict"), Painting(id="choices")
        self._room = Painting(id="room")
        self._room.display = False
        self._slots, self._keys = True, True
        self._weighing: Timer | None = None
        self._asking: Timer | None = None

    def compose(self) -> ComposeResult:
        """From what it takes to what can be done about it."""
        yield from (self._bars, self._verdict, self._choices, self._room)

    def want(self, request: LoadRequest) -> None:
        """These settings are in the form now. The first ones are weighed at once, others when they have come to rest;
        the same again cost nothing."""
        first = self.told.wanted is None
        if self.told.want(request):
            self._ask_soon()
            if first:
                self._weigh()
            else:
                _stop(self._weighing)
                self._weighing = self.set_timer(WEIGH_S, self._weigh)
        self.show()

    def doubt(self) -> None:
        """What is in the form now cannot be sent: the forecast is for something else."""
        self.told.sendable = False
        self.show()

    def _ask_soon(self) -> None:
        _stop(self._asking)
        self._asking = self.set_timer(ASK_S, self._ask) if self._cli else None

    def _weigh(self) -> None:
        if self.told.wanted is not None:
            self._say(intents.Weigh(self.told.wanted))

    def _ask(self) -> None:
        if self.told.wanted is not None:
            self._say(intents.AskLmStudio(self.told.wanted))

    def _say(self, intent: intents.Intent) -> None:
        """From the screen: what its own handler posts further down would come up to it and no higher."""
        self.screen.post_message(intent)

    def weighed(self, message: intents.Weighed) -> bool:
        """A forecast; False if it is not for the settings in the form."""
        taken = self.told.weighed(message)
        if taken:
            self.show()
        return taken

    def lmstudio_said(self, message: intents.LmStudioSaid) -> bool:
        """LM Studio's own figure; False if it is not for the settings in the form. Where we know less than it, they
        are weighed again with that figure."""
        taken = self.told.lmstudio_said(message)
        if taken:
            self.show()
            if message.figure is not None and self.told.outlook and self.told.outlook.parts is None:
                self._weigh()
        return taken

    def offer(self, *, slots: bool, keys: bool) -> None:
        """Whether slots can be set, and whether letters are keys where the cursor is."""
        if (slots, keys) != (self._slots, self._keys):
            self._slots, self._keys = slots, keys
            self._show_choices()

    def show(self) -> None:
        """What is known now."""
        self._bars.show(self.told.bars)
        self._verdict.show(self.told.verdict)
        self._room.show(self.told.room)
        self.details.show(self.told.details)
        self._show_choices()

    def _show_choices(self) -> None:
        slots, keys = self._slots, self._keys
        self._choices.show(lambda cells: self.told.choices(cells, slots, keys))

    def toggle_room(self) -> None:
        """Show or hide what would have to be unloaded."""
        self._room.display = not self._room.display

    def still(self, loading: bool) -> None:
        """While the load runs there is nothing to choose and LM Studio is not asked; after it all is weighed anew."""
        self._choices.display = not loading
        if loading:
            _stop(self._asking)
            self._room.display = False
            return
        self._weigh()
        if not self.told.lmstudio_answered:
            self._ask_soon()


def _stop(timer: Timer | None) -> None:
    if timer is not None:
        timer.stop()

"""Keys in the order in which they were typed."""

from textual import events
from textual.widget import Widget


async def ran_own_binding(editor: Widget, event: events.Key) -> bool:
    """Run the editor's own binding for this key at once, if it has one: to be asked first by its `_on_key`.

    Textual inserts a letter at once but lets a bound key (Backspace, Enter, the arrows) bubble up first and acts on it
    later. Keys that come in one burst, as over a slow SSH line, would then act on a text that letters typed after
    them have already changed.
    """
    own = editor._bindings.key_to_bindings.get(event.key)
    if own is None:
        return False
    event.stop()
    event.prevent_default()
    await editor.run_action(own[0].action)
    return True


def passed_on(field: Widget, event: events.Key) -> bool:
    """Go on at Tab at once, and hand over the keys that were typed after it in one burst: they are the next field's.
    To be asked first by the `_on_key` of a form's field."""
    focused = field.screen.focused
    if focused is not None and focused is not field:
        focused.post_message(events.Key(event.key, event.character))
    elif event.key in ("tab", "shift+tab"):
        field.screen.focus_next() if event.key == "tab" else field.screen.focus_previous()
    else:
        return False
    event.stop()
    event.prevent_default()
    return True

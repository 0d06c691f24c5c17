import pytest

from lmdeck.keymap import bindings, faults
from lmdeck.main import LMDeck


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"loaded.unlod": "f6"}, "there is no binding 'loaded.unlod'; did you mean 'loaded.unload'?"),
        ({"zzzz": "f6"}, "there is no binding 'zzzz'; `lmdeck config keys` lists them"),
        ({"app.quit": "ctrl+s"}, "app.quit: ctrl+s is taken by terminals and tmux"),
        ({"app.quit": "shift+t"}, "app.quit: shift+t is written as 'T'"),
        ({"app.quit": "f6,pgup"}, "app.quit: there is no key 'pgup'; did you mean 'pageup'?"),
        ({"app.quit": "hyperr+x"}, "there is no key 'hyperr+x'"),
        ({"loaded.unload": "v"}, "loaded.unload: v is the key of loaded.verify, too (Loaded)"),
        ({"deck.zoom": "s"}, "deck.zoom: s is the key of list.sort, too"),
        ({"app.quit": "?"}, "app.quit: ? is the key of app.help, too"),
        ({"loaded.unload": "f6", "loaded.chat": "f7,f6"}, "loaded.chat: F6 is the key of loaded.unload, too"),
    ],
)
def test_what_is_wrong_is_named(keys, words):
    (found, *_) = [said for _, said in faults(keys, LMDeck) if words.lower() in said.lower()] or [""]
    assert found, faults(keys, LMDeck)


def test_keys_that_do_one_thing_in_each_place_are_sound():
    assert faults({}, LMDeck) == []
    swapped = {"loaded.unload": "v", "loaded.verify": "u", "app.help": "question_mark,f1", "available.load": "f6"}
    assert faults(swapped, LMDeck) == []
    assert faults({"log.export": "u", "deck.refresh": "ctrl+l"}, LMDeck) == []  # u is another pane's


def test_every_binding_is_listed_once():
    ids = [id for id, _, _ in bindings(LMDeck)]
    assert ids == sorted(set(ids))
    assert {"app.quit", "deck.zoom", "list.up", "loaded.unload", "chat.send", "load.accept"} <= set(ids)

"""`lmdeck discover HOST|NETWORK…`: where LM Studio answers, of what is named."""

import argparse
from collections.abc import Sequence

from lmdeck.diagnosis.addresses import LMSTUDIO_PORT, MOST, addresses
from lmdeck.diagnosis.discovery import AT_ONCE, Found, discover
from lmdeck.plain.frame import EXIT_DONE, EXIT_UNREACHABLE, EXITS, run, tell
from lmdeck.plain.printing import document, emit, table

PROG = "lmdeck discover"
_HEADS = ("URL", "MS")


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `discover`; answers 0, or 3 where nothing that was named is LM Studio."""
    return run(_parser(), argv, _discover)


def _parser() -> argparse.ArgumentParser:
    words = (
        "Asks the hosts and networks that you name, and no others, whether LM Studio answers there. Nothing but its "
        f"greeting is asked for, without a token, {AT_ONCE} addresses at a time and {MOST} at most."
    )
    parser = argparse.ArgumentParser(prog=PROG, description=words, epilog=EXITS)
    parser.add_argument("names", nargs="+", metavar="HOST|NETWORK", help="gpubox, gpubox:1235 or 192.168.1.0/24")
    parser.add_argument(
        "--port",
        type=_port,
        action="append",
        metavar="N",
        help=f"where nothing else is said [{LMSTUDIO_PORT}]; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="JSON, for programs")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 2**16:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


async def _discover(options: argparse.Namespace) -> int:
    wanted = addresses(options.names, options.port or (LMSTUDIO_PORT,))
    if len(wanted) > AT_ONCE:
        tell(PROG, f"asking {len(wanted)} addresses …")
    found = await discover(wanted)
    servers = [each for each in found if each.who == "lmstudio"]
    for each in found:
        if each.who == "no such name":
            tell(PROG, f"{each.address.host}: no such name")
    others = sum(each.who == "other" for each in found)
    record = document("discover", {"asked": len(found), "others": others, "servers": list(map(_record, servers))})
    if servers or options.json:
        emit(options, record, table(_HEADS, [(each.address.url, _ms(each)) for each in servers], right={"MS"}))
    beside = f"; {others} answered otherwise" if others else ""
    tell(PROG, f"LM Studio answers at {len(servers)} of {len(found)} addresses{beside}")
    return EXIT_DONE if servers else EXIT_UNREACHABLE


def _ms(found: Found) -> str:
    return f"{(found.round_trip_s or 0) * 1000:.0f}"


def _record(found: Found) -> dict[str, object]:
    host, port = found.address
    return {"url": found.address.url, "host": host, "port": port, "round_trip_s": found.round_trip_s}

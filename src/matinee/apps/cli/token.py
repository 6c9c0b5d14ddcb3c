"""``matinee token``: who may ask a running service, and for what."""

from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group("token")
def token_command() -> None:
    """Make, list and revoke the tokens that a service takes."""


@token_command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "upload", "operate", "admin"]),
    help="What it may do; several times if need be. Default: read.",
)
@click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), help="Until it ends.")
@library_options
@json_option
def add_command(
    name: str,
    scopes: tuple[str, ...],
    days: float | None,
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Make a token called NAME. It is printed once and kept nowhere."""
    from matinee.apps.web.credentials import make_token
    from matinee.wiring.library import now

    token, secret = make_token(
        _tokens(library, database), name, scopes or ("read",), days, now(), "the command line"
    )
    if as_json:
        print_json({**_json(token), "secret": secret})
        return
    click.echo(secret)
    click.echo(f"token {token.id} may {', '.join(token.scopes)}; it is not shown again", err=True)


@token_command.command("list")
@library_options
@json_option
def list_command(library: str | None, database: str | None, as_json: bool) -> None:
    """List tokens, oldest first."""
    from matinee.wiring.library import now

    tokens = _tokens(library, database).all()
    if as_json:
        print_json([_json(token) for token in tokens])
        return
    for token in tokens:
        state = "valid" if token.is_valid(now()) else "revoked" if token.revoked_at else "ended"
        click.echo(f"{token.id}  {state:<8} {','.join(token.scopes):<14} {printable(token.name)}")


@token_command.command("revoke")
@click.argument("token_id", metavar="ID")
@library_options
@json_option
def revoke_command(token_id: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Let the token of that ID open nothing from now on, nor the sessions that it opened."""
    from matinee.apps.web.credentials import person_acted

    facts = [person_acted("the command line", "revoke token", f"token/{token_id}")]
    token = _tokens(library, database).revoke(token_id, facts)
    print_json(_json(token)) if as_json else click.echo(f"token {token.id} is revoked", err=True)


def _tokens(library: str | None, database: str | None) -> Any:
    from matinee.apps.cli.titles import open_library

    return open_library(library, database).tokens


def _json(token: Any) -> dict[str, Any]:
    from matinee.apps.web.credentials import token_json

    return token_json(token)

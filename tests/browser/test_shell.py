"""What every page shares: signing in, the list of people, dialogs, theme, errors told plainly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from conftest import PASSWORD, Cast
from portal.participants.models import Participant
from tests.browser.chromium import TABLET
from tests.browser.conftest import accessible_everywhere, axe

Shoot = Callable[[Page, str], None]

NAMES = [
    "Fátima Belkacem", "Oleksandr Kovalenko", "Rosmery Quispe Mamani", "Manuel Ortega Ruiz",
    "Salma El Idrissi", "María José Peña", "Ibrahima Diallo", "Ana Belén Núñez",
]  # fmt: skip


@pytest.fixture
def people(cast: Cast) -> list[Participant]:
    now = timezone.now()
    return Participant.objects.bulk_create(
        Participant(
            team=cast.team,
            name=name,
            email=f"{name.split()[0].lower()}@example.org",
            phone=f"+3460011223{number}",
            created_by=cast.owner,
            last_interaction_at=now - timedelta(hours=number),
        )
        for number, name in enumerate(NAMES)
    )


def test_signing_in_and_out(anonymous_page: Page, cast: Cast, shoot: Shoot) -> None:
    page = anonymous_page
    page.goto("/personas/")
    expect(page).to_have_title(re.compile("Iniciar sesión"))
    shoot(page, "entrar")
    accessible_everywhere(page)
    page.get_by_label("Correo electrónico").fill(cast.owner.email)
    page.get_by_label("Contraseña").fill("no es esta")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no son correctos")
    shoot(page, "entrar-error")
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_url(re.compile("/personas/$"))
    page.get_by_role("button", name="Menú de Ana Robles").click()
    page.get_by_role("button", name="Cerrar sesión").click()
    expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/cuenta/password/reset/", "contrasena"),
        ("/cuenta/password/reset/done/", "contrasena-pedida"),
        ("/cuenta/password/reset/key/abc-def/", "contrasena-enlace-caducado"),
        ("/cuenta/password/reset/key/done/", "contrasena-hecha"),
        ("/cuenta/signup/", "registro-cerrado"),
        ("/cuenta/inactive/", "inactiva"),
    ],
)
def test_pages_before_signing_in(
    anonymous_page: Page, db: None, shoot: Shoot, path: str, name: str
) -> None:
    anonymous_page.goto(path)
    shoot(anonymous_page, name)
    accessible_everywhere(anonymous_page)


def test_the_first_person_is_added_from_the_empty_page(page: Page, shoot: Shoot) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Añada a la primera persona")).to_be_visible()
    shoot(page, "vacia")
    accessible_everywhere(page)
    page.get_by_role("main").get_by_role("link", name="Añadir usuario").click()
    dialog = page.get_by_role("dialog", name="Añadir usuario")
    expect(dialog.get_by_label("Nombre y apellidos")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Escriba el nombre de la persona.")
    expect(dialog.get_by_label("Nombre y apellidos")).to_be_focused()
    shoot(page, "anadir-errores")
    axe(page)
    dialog.get_by_label("Nombre y apellidos").fill("Fátima Belkacem")
    dialog.get_by_label("Correo electrónico").fill("fatima@example.org")
    dialog.get_by_label("Teléfono").fill("600 11 22 33")
    page.keyboard.press("Enter")
    row = page.get_by_role("navigation", name="Lista de personas").get_by_role("link").first
    expect(row).to_contain_text("Fátima Belkacem")
    expect(row).to_have_attribute("aria-current", "page")


def test_a_possible_duplicate_is_shown(page: Page, people: list[Participant], shoot: Shoot) -> None:
    page.goto("/personas/")
    page.get_by_role("link", name="Añadir usuario").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nombre y apellidos").fill("Fatima Belkasem")
    dialog.get_by_label("Correo electrónico").fill("fb@example.org")
    dialog.get_by_role("button", name="Añadir").click()
    expect(dialog).to_contain_text("Ya hay una persona parecida. ¿Es la misma?")
    shoot(page, "anadir-parecida")
    accessible_everywhere(page)
    dialog.get_by_role("button", name="Es otra persona: añadirla").click()
    expect(page.get_by_role("link", name="Fatima Belkasem")).to_have_attribute(
        "aria-current", "page"
    )


def test_the_list_is_filtered_and_walked_with_the_keyboard(
    page: Page, people: list[Participant], shoot: Shoot
) -> None:
    page.goto("/personas/")
    shoot(page, "personas")
    accessible_everywhere(page)
    rows = page.locator("a.person")
    expect(rows).to_have_count(len(NAMES))
    expect(rows.first).to_contain_text("Fátima")
    box = page.get_by_role("searchbox")
    box.press_sequentially("nunez")
    expect(rows).to_have_count(1)
    expect(page.locator("#people-count")).to_have_text("1 persona")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(len(NAMES))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.get_by_label("Ordenar por").select_option("a-z")
    expect(rows.first).to_contain_text("Ana Belén")
    page.reload()
    expect(rows.first).to_contain_text("Ana Belén")


def test_the_list_goes_on_as_one_scrolls(page: Page, cast: Cast) -> None:
    Participant.objects.bulk_create(
        Participant(team=cast.team, name=f"Persona {n:03}", email="p@e.org", created_by=cast.owner)
        for n in range(100)
    )
    page.goto("/personas/?sort=a-z")
    rows = page.locator("a.person")
    expect(rows).to_have_count(40)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(80)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(100)
    names = rows.locator(".person-name").all_text_contents()
    assert names == [f"Persona {n:03}" for n in range(100)]


def test_on_a_tablet_the_list_comes_from_the_side(
    page: Page, people: list[Participant], shoot: Shoot
) -> None:
    page.set_viewport_size(TABLET)
    page.goto("/personas/")
    expect(page.locator("a.person").first).to_be_visible()
    page.goto("/perfil/")
    expect(page.locator("a.person").first).not_to_be_visible()
    page.get_by_role("link", name="Personas").click()
    expect(page.locator("a.person").first).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.locator("a.person").first).not_to_be_visible()


def test_profile_and_theme(page: Page, people: list[Participant], shoot: Shoot) -> None:
    page.goto("/perfil/")
    shoot(page, "perfil")
    accessible_everywhere(page)
    page.get_by_label("Nombre y apellidos").fill("Ana María Robles")
    page.get_by_role("button", name="Guardar").click()
    expect(page.get_by_role("status", name="Avisos")).to_contain_text("Su perfil se ha guardado.")
    page.get_by_role("button", name="Menú de Ana María Robles").click()
    page.get_by_role("button", name="Oscuro").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    axe(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Menú de").click()
    shoot(page, "menu")
    page.get_by_role("button", name="Automático").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_label("Idioma de las páginas").select_option("en")
    page.get_by_role("button", name="Guardar").click()
    expect(page.get_by_role("heading", name="My profile")).to_be_visible()
    expect(page.get_by_role("status", name="Notices")).to_contain_text("Your profile is saved.")
    shoot(page, "perfil-en")


def test_changing_the_password(page: Page, shoot: Shoot) -> None:
    page.goto("/cuenta/password/change/")
    shoot(page, "cambiar-contrasena")
    accessible_everywhere(page)


def test_a_cut_connection_is_told_and_nothing_written_is_lost(
    page: Page,
    context: BrowserContext,
    people: list[Participant],
    problems: list[str],
    shoot: Shoot,
) -> None:
    page.goto("/personas/")
    page.get_by_role("link", name="Añadir usuario").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nombre y apellidos").fill("Nadie Todavía")
    dialog.get_by_label("Correo electrónico").fill("nadie@example.org")
    context.set_offline(True)
    dialog.get_by_role("button", name="Añadir").click()
    notices = page.get_by_role("status", name="Avisos")
    expect(notices).to_contain_text("No hemos podido guardar. Lo que ha escrito sigue aquí.")
    shoot(page, "sin-conexion")
    context.set_offline(False)
    dialog.get_by_role("button", name="Añadir").click()
    expect(page.get_by_role("link", name="Nadie Todavía")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in problem or "htmx" in problem for problem in problems)
    problems.clear()


def test_an_ended_session_is_told_with_a_way_back(
    page: Page,
    context: BrowserContext,
    cast: Cast,
    people: list[Participant],
    problems: list[str],
) -> None:
    page.goto("/personas/")
    page.get_by_role("link", name="Añadir usuario").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nombre y apellidos").fill("Nadie Todavía")
    dialog.get_by_label("Correo electrónico").fill("nadie@example.org")
    context.clear_cookies(name="sessionid")
    dialog.get_by_role("button", name="Añadir").click()
    notices = page.get_by_role("status", name="Avisos")
    expect(notices).to_contain_text("Su sesión ha terminado.")
    # By keyboard: the dialog keeps it inside, and so must reach what is told.
    link = notices.get_by_role("link", name="Iniciar sesión")
    for _ in range(8):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_be_focused()
    with context.expect_page() as opened:
        page.keyboard.press("Enter")
    other = opened.value
    other.get_by_label("Correo electrónico").fill(cast.owner.email)
    other.get_by_label("Contraseña").fill(PASSWORD)
    other.get_by_role("button", name="Entrar").click()
    expect(other).to_have_url(re.compile("/personas/$"))
    # Here everything is still as it was, and now it works.
    dialog.get_by_role("button", name="Añadir").click()
    expect(page.get_by_role("link", name="Nadie Todavía")).to_be_visible()
    problems.clear()


@pytest.mark.parametrize(("status", "sentence"), [(500, "ha tenido un problema"), (403, "permiso")])
def test_an_error_of_the_server_is_told(
    page: Page, people: list[Participant], problems: list[str], status: int, sentence: str
) -> None:
    page.goto("/personas/")
    page.route("**/personas/nueva/", lambda route: route.fulfill(status=status, body="no"))
    page.get_by_role("link", name="Añadir usuario").click()
    expect(page.get_by_role("status", name="Avisos")).to_contain_text(sentence)
    problems.clear()


def test_a_page_that_is_not_there(
    page: Page, people: list[Participant], problems: list[str], shoot: Shoot
) -> None:
    page.goto("/nada/")
    expect(page.get_by_role("heading", name="Aquí no hay nada")).to_be_visible()
    shoot(page, "error-404")
    accessible_everywhere(page)
    problems.clear()


def test_keyboard_reaches_the_content_first(page: Page, people: list[Participant]) -> None:
    page.goto("/personas/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ir al contenido")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

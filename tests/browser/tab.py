"""Room: tests/browser. One browser page with the widget, and what a person does in it."""

import dataclasses
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}


@dataclasses.dataclass
class Tab:
    """One page with the widget, and what a person does in it."""

    page: Page
    context: BrowserContext
    base: str
    complaints: list[str] = dataclasses.field(default_factory=list)
    addresses: list[str] = dataclasses.field(default_factory=list)
    allowed: list[str] = dataclasses.field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """A console error that belongs to this test (a server that is down does cause some)."""
        self.allowed.append(pattern)

    async def visit(self, path: str = "/") -> None:
        await self.page.goto(f"{self.base}{path}")
        await self.page.locator("ademruimte-chat").wait_for(state="attached")

    def bot(self, words: str) -> Locator:
        return self.page.locator(".entry.bot .bubble", has_text=words)

    def mine(self, words: str) -> Locator:
        return self.page.locator(".entry.user .bubble", has_text=re.compile(f"^{re.escape(words)}$"))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Typ je bericht")

    async def type(self, words: str) -> None:
        await self.box.fill(words)
        await self.box.press("Enter")

    async def said(self) -> list[str]:
        """Every bubble in order, for "nothing twice, nothing lost"."""
        return await self.page.locator(".entry .bubble").all_inner_texts()

    async def focused(self) -> str:
        """What has the keyboard, inside the widget: id, data-value, class or tag."""
        script = """() => { const e = document.querySelector('ademruimte-chat')?.shadowRoot?.activeElement;
            return e ? (e.id || e.dataset.value || e.className || e.tagName) : ''; }"""
        return str(await self.page.evaluate(script))

    async def axe(self) -> list[str]:
        """Violations of WCAG 2.2 A and AA and of axe's best practices, in words."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        result = await self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']]}"
            for violation in result["violations"]
        ]


OpenTab = Callable[..., Awaitable[Tab]]

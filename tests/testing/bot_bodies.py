"""Bodies that each chatbot takes, and its routes."""

from __future__ import annotations

from typing import Any

from fake_answers import body_of

OWN: dict[str, dict[str, Any]] = {
    "typebot": {"url": "http://bot.example", "typebot": "flow"},
    "openai": {"botType": "chatCompletion", "model": "gpt", "maxTokens": 9, "openaiCredsId": ""},
    "dify": {"botType": "chatBot", "apiUrl": "http://bot.example", "apiKey": "k"},
    "n8n": {"webhookUrl": "http://bot.example", "basicAuthUser": "u", "basicAuthPass": "p"},
    "evoai": {"agentUrl": "http://bot.example", "apiKey": "k"},
    "flowise": {"apiUrl": "http://bot.example", "apiKey": "k"},
    "evolutionBot": {"apiUrl": "http://bot.example", "apiKey": "k"},
}
OTHER: dict[str, dict[str, Any]] = {
    "typebot": {"typebot": "other"},
    "openai": {"maxTokens": 10},
    "dify": {"apiKey": "other"},
    "n8n": {"basicAuthPass": "other"},
    "evoai": {"apiKey": "other"},
    "flowise": {"apiKey": "other"},
    "evolutionBot": {"apiKey": "other"},
}
"""What makes it another bot."""
LABELS = {
    "typebot": "Typebot", "openai": "Openai", "dify": "Dify", "n8n": "N8n", "evoai": "Evoai",
    "flowise": "Flowise", "evolutionBot": "EvolutionBot",
}  # fmt: skip
KINDS = tuple(OWN)
OPTIONS: dict[str, Any] = {
    "expire": 20, "keywordFinish": "#EXIT", "delayMessage": 5, "unknownMessage": "?",
    "listeningFromMe": False, "stopBotFromMe": True, "keepOpen": False, "debounceTime": 2,
    "ignoreJids": [], "splitMessages": True, "timePerChar": 7,
}  # fmt: skip
KEYWORD = {"triggerType": "keyword", "triggerOperator": "equals", "triggerValue": "hey"}


class Bot:
    """One chatbot's routes on one instance; ``...`` takes a member out of a body."""

    def __init__(self, ask: Any, kind: str, instance: str = "sales") -> None:
        self.ask, self.kind, self.instance = ask, kind, instance
        self.creds = ""
        if kind == "openai":
            made = body_of(
                ask("POST", f"/openai/creds/{instance}", {"name": instance, "apiKey": instance})
            )
            self.creds = made["id"]

    def body(self, **changes: Any) -> dict[str, Any]:
        own = {**OWN[self.kind], **({"openaiCredsId": self.creds} if self.creds else {})}
        body = {"enabled": True, **own, **KEYWORD, "ignoreJids": [], **changes}
        return {name: value for name, value in body.items() if value is not ...}

    def create(self, **changes: Any) -> Any:
        return self.ask("POST", f"/{self.kind}/create/{self.instance}", self.body(**changes))

    def other(self, value: str = "other", **changes: Any) -> Any:
        return self.create(**{**OTHER[self.kind], "triggerValue": value, **changes})

    def update(self, bot_id: str, **changes: Any) -> Any:
        path = f"/{self.kind}/update/{bot_id}/{self.instance}"
        return self.ask("PUT", path, self.body(**changes))

    def settings(self, **changes: Any) -> Any:
        creds = {"openaiCredsId": self.creds} if self.creds else {}
        body = {**OPTIONS, **creds, **changes}
        return self.ask("POST", f"/{self.kind}/settings/{self.instance}", body)

    def get(self, action: str) -> Any:
        return body_of(self.ask("GET", f"/{self.kind}/{action}/{self.instance}"))

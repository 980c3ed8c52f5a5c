"""Room `engine`: a quick start. May know which packages Rasa imports and does not use here.

Rasa imports TensorFlow and a dozen services' clients before it knows whether a model needs them; together
they are two thirds of its import time and of its memory. `leave_out` answers such imports with empty
stand-ins: good enough to be subclassed and annotated with, an error as soon as anything calls into them.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import tarfile
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Clients of services that the engine never talks to.
UNUSED_CLIENTS = (
    "aiogram",
    "boto3",
    "botocore",
    "confluent_kafka",
    "fbmessenger",
    "matplotlib",
    "mattermostwrapper",
    "pymongo",
    "questionary",
    "rocketchat_API",
    "sentry_sdk",
    "slack_sdk",
    "twilio",
    "webexteamssdk",
)
TENSORFLOW = ("keras", "tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text")

# Graph components known to work without TensorFlow. Anything else brings the real one in; so does spaCy, which asks
# it for graphics cards.
WITHOUT_TENSORFLOW = frozenset(
    {
        "AugmentedMemoizationPolicy",
        "ClauseCutter",
        "ClauseJoiner",
        "CountVectorsFeaturizer",
        "DefaultPolicyPredictionEnsemble",
        "DomainProvider",
        "FallbackClassifier",
        "KeywordIntentClassifier",
        "LexicalSyntacticFeaturizer",
        "LogisticRegressionClassifier",
        "MemoizationPolicy",
        "NLUMessageConverter",
        "NgramClassifier",
        "RegexEntityExtractor",
        "RegexFeaturizer",
        "RegexMessageHandler",
        "RuleOnlyDataProvider",
        "RulePolicy",
        "ScoreComponent",
        "TwoThingsPolicy",
        "WhitespaceTokenizer",
    }
)


def leave_out(packages: Sequence[str]) -> None:
    """Answer imports of these top-level packages with stand-ins; call before Rasa is imported."""
    sys.meta_path.insert(0, _StandInFinder(frozenset(packages) - set(sys.modules)))


def components_of_model(model: Path) -> set[str]:
    """Class names of the components that a trained model (.tar.gz) runs.

    Raises:
        OSError, tarfile.TarError, KeyError, ValueError: the file is missing or is no Rasa model.
    """
    with tarfile.open(model) as archive:
        for member in archive:
            if Path(member.name).name == "metadata.json":
                source = archive.extractfile(member)
                if source is not None:
                    nodes = json.load(source)["predict_schema"]["nodes"]
                    return {node["uses"].rpartition(".")[2] for node in nodes.values()}
    raise ValueError(f"{model} holds no metadata.json")


def needs_tensorflow(components: Iterable[str]) -> bool:
    """Whether one of these components (class names, dotted or not) may use TensorFlow."""
    return not {name.rpartition(".")[2] for name in components} <= WITHOUT_TENSORFLOW


class _StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's signature
        target: types.ModuleType | None = None,  # noqa: ARG002 - the import system's signature
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in self._packages:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass  # nothing to run: attributes are made when asked for


class _StandInModule(types.ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _stand_in(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made


class _StandIn(type):
    """A class that can be subclassed, subscripted and walked through, and raises when it is called."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{cls.__module__}.{name}")

    def __getitem__(cls, _item: object) -> type:
        return cls

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError(f"{cls.__module__} was left out of this process (engine/light.py)")


def _stand_in(dotted: str) -> type:
    return _StandIn(dotted.rpartition(".")[2], (), {"__module__": dotted})

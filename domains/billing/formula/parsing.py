"""From text to a tree, by descent; whatever is outside of the grammar is refused with its column.

sum     = product (("+" | "-") product)*
product = signed (("*" | "/") signed)*
signed  = "-" signed | number | variable | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import cast

from domains.billing.formula.tree import (
    FUNCTIONS,
    MOST_CHARACTERS,
    MOST_DEPTH,
    VARIABLES,
    Call,
    Negation,
    Node,
    Number,
    Operation,
    Sign,
    Variable,
)
from domains.kernel.errors import Invalid

# Digits are the ten of ASCII: others look alike and are not what somebody typed.
_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[a-z_]+|[\u4e00-\u9fff]+)|(?P<blank> +)"
    r"|(?P<mark>[-+*/(),\u2212\u00d7\u00f7\uff08\uff09\uff0c])"
)
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
# What is printed, and what Chinese keyboards give.
_MARKS = str.maketrans("\u2212\u00d7\u00f7\uff08\uff09\uff0c", "-*/(),")
_NAMES = {name: name for name in VARIABLES} | {shown: name for name, shown in VARIABLES.items()}


class FormulaInvalid(Invalid):
    """A text that is no formula; the message has the column, counted from 1, and what was expected there."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__("FORMULA_INVALID", f"公式第 {column} 个字符处有误:{message}", "formula")
        self.column = column


def parse(text: str) -> Node:
    """The tree of a formula. Raises FormulaInvalid for everything that is none."""
    if len(text) > MOST_CHARACTERS:
        raise FormulaInvalid(MOST_CHARACTERS + 1, f"公式最多 {MOST_CHARACTERS} 个字符")
    reader = _Reader(_tokens(text), len(text) + 1)
    tree = reader.sum(0)
    if reader.kind != "end":
        raise FormulaInvalid(reader.column, "应为运算符或公式结束")
    return tree


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Kind, text and column; a mark's kind is the mark itself."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaInvalid(at + 1, "只能使用数字、变量、函数、加减乘除和括号")
        kind, written = str(match.lastgroup), match.group()
        if kind == "mark":
            kind = written = written.translate(_MARKS)
        if kind != "blank":
            found.append((kind, written, at + 1))
        at = match.end()
    return found


class _Reader:
    """A place in the tokens; each method reads one rule of the grammar and leaves the place behind it."""

    def __init__(self, tokens: list[tuple[str, str, int]], end: int) -> None:
        self._tokens = [*tokens, ("end", "", end)]
        self._place = 0

    @property
    def kind(self) -> str:
        """The kind of the token at this place."""
        return self._tokens[self._place][0]

    @property
    def column(self) -> int:
        """Its column."""
        return self._tokens[self._place][2]

    def sum(self, depth: int) -> Node:
        """Terms added and subtracted, from the left."""
        tree = self._product(depth)
        while self.kind in ("+", "-"):
            operator = cast("Sign", self._take())
            tree = Operation(operator, tree, self._product(depth))
        return tree

    def _product(self, depth: int) -> Node:
        tree = self._signed(depth)
        while self.kind in ("*", "/"):
            operator = cast("Sign", self._take())
            tree = Operation(operator, tree, self._signed(depth))
        return tree

    def _signed(self, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise FormulaInvalid(self.column, f"括号最多嵌套 {MOST_DEPTH} 层")
        if self.kind == "-":
            self._take()
            return Negation(self._signed(depth + 1))
        if self.kind == "(":
            self._take()
            tree = self.sum(depth + 1)
            self._expect(")", "应为右括号")
            return tree
        if self.kind == "number":
            return self._number()
        if self.kind == "name":
            return self._named(depth)
        raise FormulaInvalid(self.column, "应为数字、变量、函数或左括号")

    def _number(self) -> Number:
        column, written = self.column, self._take()
        if not _NUMBER.fullmatch(written):
            raise FormulaInvalid(column, "数字最多 12 位整数、6 位小数")
        return Number(Decimal(written))

    def _named(self, depth: int) -> Node:
        column, written = self.column, self._take()
        # `floor` is the storey, and with a parenthesis behind it the function.
        if self.kind == "(":
            return self._call(column, written, depth)
        if written not in _NAMES:
            raise FormulaInvalid(column, f"没有变量“{written}”,可用:{'、'.join(VARIABLES)}")
        return Variable(_NAMES[written])

    def _call(self, column: int, name: str, depth: int) -> Call:
        if name not in FUNCTIONS:
            raise FormulaInvalid(column, f"没有函数“{name}”,可用:{'、'.join(FUNCTIONS)}")
        self._take()
        values = [self.sum(depth + 1)]
        while self.kind == ",":
            self._take()
            values.append(self.sum(depth + 1))
        self._expect(")", "应为逗号或右括号")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(values) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} 到 {most}"
            raise FormulaInvalid(column, f"函数 {name} 应有 {wanted} 个值")
        return Call(name, tuple(values))

    def _expect(self, kind: str, message: str) -> None:
        if self.kind != kind:
            raise FormulaInvalid(self.column, message)
        self._take()

    def _take(self) -> str:
        written = self._tokens[self._place][1]
        self._place += 1
        return written

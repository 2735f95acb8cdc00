"""Sockets, widgets, schemas and nodes: the arguments that 0.3.64 takes, and what it refuses."""

from dataclasses import dataclass, field


class Input:
    extra = ()

    def __init__(self, id, display_name=None, optional=False, tooltip=None, **options):
        unknown = set(options) - {"default", *self.extra}
        if unknown:
            raise TypeError(f"{type(self).__qualname__} got unexpected {unknown}")
        self.id, self.optional = id, optional
        self.options = {"display_name": display_name, "tooltip": tooltip, **options}

    def get_io_type(self):
        return self.io_type

    def as_dict(self):
        return {name: value for name, value in self.options.items() if value is not None}


class Output:
    def __init__(self, id=None, display_name=None, tooltip=None, is_output_list=False):
        self.id, self.tooltip, self.is_output_list = id, tooltip, is_output_list
        self.display_name = display_name or id


def comfy_type(io_type, *extra):
    class Type:
        pass

    Type.Input = type("Input", (Input,), {"io_type": io_type, "extra": extra})
    Type.Output = type("Output", (Output,), {"io_type": io_type})
    return Type


class SocketInput(Input):
    """Of a type without a widget, which has no default either."""

    def __init__(self, id, display_name=None, optional=False, tooltip=None):
        super().__init__(id, display_name, optional, tooltip)


def Custom(io_type):
    made = comfy_type(io_type)
    made.Input = type("Input", (SocketInput,), {"io_type": io_type})
    return made


Image, Mask = Custom("IMAGE"), Custom("MASK")
Int = comfy_type("INT", "min", "max", "step", "control_after_generate", "display_mode")
Float = comfy_type("FLOAT", "min", "max", "step", "round", "display_mode")
String = comfy_type("STRING", "multiline", "placeholder", "dynamic_prompts")
Combo = comfy_type("COMBO", "options", "control_after_generate")


@dataclass
class Schema:
    node_id: str
    display_name: str = None
    category: str = "sd"
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    hidden: list = field(default_factory=list)
    description: str = ""
    is_input_list: bool = False
    is_output_node: bool = False

    def validate(self):
        inputs, outputs = [item.id for item in self.inputs], [item.id for item in self.outputs if item.id]
        if len(set(inputs)) < len(inputs) or set(inputs) & set(outputs):
            raise ValueError(f"ids must be unique, got {inputs} and {outputs}")


class Locked(type):
    """Classes that run are locked, as in the host."""

    def __setattr__(cls, name, value):
        raise AttributeError(f"Cannot modify class attribute '{name}'")


class NodeOutput:
    def __init__(self, *args, ui=None, expand=None, block_execution=None):
        self.args, self.ui, self.block_execution = args, ui, block_execution

    @property
    def result(self):
        return self.args or None


class ComfyNode(metaclass=Locked):
    @classmethod
    def GET_SCHEMA(cls):
        schema = cls.define_schema()
        schema.validate()
        return schema

    @classmethod
    def PREPARE_CLASS_CLONE(cls, hidden):
        return cls

    @classmethod
    def EXECUTE_NORMALIZED(cls, *args, **inputs):
        result = cls.execute(*args, **inputs)
        if not isinstance(result, NodeOutput):
            raise TypeError(f"expected NodeOutput, got {type(result)}")
        return result

    @classmethod
    def GET_NODE_INFO_V1(cls):
        schema, inputs = cls.GET_SCHEMA(), {"required": {}}
        for item in schema.inputs:
            group = inputs.setdefault("optional" if item.optional else "required", {})
            group[item.id] = (item.get_io_type(), item.as_dict())
        return {
            "input": inputs,
            "output": [item.io_type for item in schema.outputs],
            "output_is_list": [item.is_output_list for item in schema.outputs],
            "output_name": [item.display_name or item.io_type for item in schema.outputs],
            "output_tooltips": [item.tooltip for item in schema.outputs],
            "name": schema.node_id,
            "display_name": schema.display_name,
            "description": schema.description,
            "category": schema.category,
            "output_node": schema.is_output_node,
        }

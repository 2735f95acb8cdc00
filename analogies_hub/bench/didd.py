"""Speed of `didd`, training and inference, against the published loop and networks.

Seconds on a shared machine mean little; what counts are the ratios within one run, which on
a CPU are of its own seconds and not of those on the clock.
"""

from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..losses import confusion, mean_size, tells
from ..methods.didd import METHOD, build_trainer
from ..methods.didd.config import DiddConfig
from ..methods.didd.pipeline import DiddPipeline
from ..pipeline import pick_device
from ..separation.networks import PublishedSeparateEncoders
from ..separation.trainer import PUBLISHED_TARGET, SeparationTrainer
from ..training import CLIP, Losses
from ..training.compiling import compile_networks
from .didd_report import Case, Convolution, Inference, Plan, Report, Training
from .timing import Call, Way, gmacs, timed
from .untrained import untrained

PUBLISHED, OURS = "published", "ours"
REFERENCE, DEFAULT = "reference", "default"
MODELS = ((REFERENCE, 128), (DEFAULT, 128), (DEFAULT, 64))  # preset and side in pixels
OPERATIONS = ("encode", "decode", "translate")
ROUNDS = 5  # of turns of the operations
CONVOLUTION = (64, 96, 16)  # images, channels and side of a 3x3 convolution in the middle of the default networks

Model = tuple[str, int, Way]  # preset, side in pixels, and how it is run


def bench_didd(plan: Plan) -> Report:
    """Training, a convolution to compare it with, and inference."""
    device = pick_device(plan.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    training, convolution = bench_training(plan, device)
    inference = bench_inference(plan, device)
    return Report(name, torch.get_num_threads(), torch.__version__, training, convolution, inference)


def bench_training(plan: Plan, device: torch.device) -> tuple[list[Training], list[Convolution]]:
    """The published loop, then ours on the published networks and on ours; and plain convolutions."""
    first = Case(PUBLISHED, REFERENCE, 128, plan.batch, Way())
    cases = [first]
    for way in plan.ways(channels_last=True):  # as `training.Options` has it
        cases += [Case(OURS, preset, size, plan.batch if size == 128 else own_batch(), way) for preset, size in MODELS]
    precisions = list(dict.fromkeys(case.way.precision for case in cases))
    work: dict[Case | str, tuple[Call, float]] = {case: training_call(case, device) for case in cases}
    work.update((name, convolution_call(Way(name, channels_last=True), device)) for name in precisions)
    taken = timed({key: call for key, (call, _) in work.items()}, plan.steps, 1, device)
    speed = {key: 2 * count / taken[key].seconds for key, (_, count) in work.items()}
    yields = {key: count / taken[key].cost for key, (_, count) in work.items()}
    rows = [
        Training(
            case=case,
            images=2 * case.batch,
            seconds=taken[case].seconds,
            steps_per_second=1 / taken[case].seconds,
            images_per_second=2 * case.batch / taken[case].seconds,
            gmacs=work[case][1],
            gflops=speed[case],
            steps_ratio=taken[first].cost / taken[case].cost,
            images_ratio=taken[first].cost / taken[case].cost * case.batch / first.batch,
            convolution_ratio=yields[case] / yields[case.way.precision],
        )
        for case in cases
    ]
    return rows, [Convolution(name, *CONVOLUTION, taken[name].seconds, speed[name]) for name in precisions]


def own_batch() -> int:
    """Images of each domain a step in the default preset."""
    return DiddConfig(**METHOD.preset(DEFAULT)).batch


def build(preset: str, size: int, **settings: object) -> DiddPipeline:
    """A pipeline that has learned nothing, and yet finds every attribute in every picture."""
    return cast(DiddPipeline, untrained(METHOD, preset, size, **settings))


def training_call(case: Case, device: torch.device) -> tuple[Call, float]:
    """One step of a training, warmed up, and its billions of multiply-adds."""
    trained = build_trainer(build(case.preset, case.size))
    case.way.place(trained.train(), device)
    a, b = (case.way.images(case.batch, case.size, device) * 2 - 1 for _ in range(2))
    step = partial(published_step, trained, a, b) if case.loop == PUBLISHED else partial(trained.training_step, 0, a, b)
    call = case.way.within(step, device)
    count = gmacs(call)
    if case.way.compiled:
        compile_networks(trained)
        call()
    return call, count


def published_step(trained: SeparationTrainer, a: Tensor, b: Tensor) -> Losses:
    """One step of the published loop, with its detours.

    Each domain goes through each network by itself, and the critic's loss goes back through
    the encoder, into gradients that are thrown away.

    Args:
        trained: of the `reference` preset.
        a, b: images of each domain (B, 3, 128, 128) in [-1, 1].

    Source: sagiebenaim/DomainIntersectionDifference, in our words.
    """
    pipeline, critic, config = trained.pipeline, trained.code_critic, trained.config
    encoder, decoder = pipeline.encoder_common, pipeline.decoder
    encoder_a, encoder_b = cast(PublishedSeparateEncoders, pipeline.encoder_separate).values()
    trained.zero_grad()
    code_a, code_b = encoder(a), encoder(b)
    own_a, own_b = encoder_a(a), encoder_b(b)
    absent = torch.zeros_like(own_a)
    drawn_a, drawn_b = decoder(code_a, [own_a, absent]), decoder(code_b, [absent, own_b])
    fooled = confusion(critic(code_a), PUBLISHED_TARGET) + confusion(critic(code_b), PUBLISHED_TARGET)
    losses = {
        "recon": config.w_recon * (F.l1_loss(drawn_a, a) + F.l1_loss(drawn_b, b)),
        "zero": config.w_zero * (mean_size(encoder_b(a)) + mean_size(encoder_a(b))),
        "confusion": config.w_confusion * fooled,
    }
    torch.stack(list(losses.values())).sum().backward()
    nn.utils.clip_grad_norm_(pipeline.parameters(), CLIP)
    trained.optimizers["pipeline"].step()
    trained.zero_grad()
    score_a, score_b = critic(encoder(a)), critic(encoder(b))
    losses["critic"] = tells(score_a, torch.ones_like(score_a)) + tells(score_b, torch.zeros_like(score_b))
    losses["critic"].backward()
    trained.optimizers["code_critic"].step()
    return losses


def convolution_call(way: Way, device: torch.device) -> tuple[Call, float]:
    """A 3x3 convolution and its gradients, warmed up, and its billions of multiply-adds."""
    count, channels, size = CONVOLUTION
    convolution = nn.Conv2d(channels, channels, 3, padding=1)
    way.place(convolution, device)
    features = torch.randn(count, channels, size, size).to(device, memory_format=way.layout).requires_grad_()

    def step() -> object:
        result = convolution(features)
        return torch.autograd.grad(result, [features, *convolution.parameters()], torch.ones_like(result))

    call = way.within(step, device)
    return call, gmacs(call)


def bench_inference(plan: Plan, device: torch.device) -> list[Inference]:
    """Each operation of the published networks as they were, then of both presets."""
    first = (REFERENCE, 128, Way())
    # Each in the layout in which it is used: that of the default networks' own choice, and the published one.
    models = [(preset, size, way) for preset, size in MODELS for way in plan.ways(channels_last=preset == DEFAULT)]
    models = list(dict.fromkeys([first, *models]))
    rounds = min(ROUNDS, plan.repeats)
    one = timed(inference_calls(models, 1, device), rounds, max(1, plan.repeats // rounds), device)
    many = timed(inference_calls(models, plan.batch, device), rounds, 1, device)
    return [
        Inference(
            preset=model[0],
            size=model[1],
            way=model[2],
            operation=operation,
            milliseconds=1000 * one[model, operation].seconds,
            batch=plan.batch,
            images_per_second=plan.batch / many[model, operation].seconds,
            latency_ratio=one[first, operation].cost / one[model, operation].cost,
            images_ratio=many[first, operation].cost / many[model, operation].cost,
        )
        for model in models
        for operation in OPERATIONS
    ]


def inference_calls(models: list[Model], count: int, device: torch.device) -> dict[tuple[Model, str], Call]:
    """Each operation of each model on `count` images, warmed up, by model and name."""
    calls: dict[tuple[Model, str], Call] = {}
    for preset, size, way in models:
        pipeline = build(preset, size).eval()
        way.place(pipeline, device)
        if way.compiled:
            compile_networks(pipeline)
        images = way.images(count, size, device)
        code = way.within(partial(pipeline.encode, images), device)()
        inputs = {"encode": (images,), "decode": (code,), "translate": (images, images.flip(0))}
        for operation in OPERATIONS:
            call = way.within(partial(getattr(pipeline, operation), *inputs[operation]), device)
            call()
            calls[(preset, size, way), operation] = call
    return calls

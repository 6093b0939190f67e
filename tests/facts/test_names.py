"""Chips and systems answer to what people call them, in three scripts; what may mean several things says so."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts import AmbiguousName
from chipweir.facts._names import take_apart
from chipweir.facts._show import find


FACTS = facts.load()

# Written down from how vendors, clouds, papers, forums and the press of three languages name chips; not from the table.
ASKED = {
    "nvidia-h100-sxm": "H100|NVIDIA H100|H100 SXM|H100 SXM5 80GB|NVIDIA H100 80GB HBM3|nvidia h100 gpu|H100-80GB|"
    "엔비디아 H100|H100 GPU|엔비디아 H100 칩|英伟达H100|英伟达H100芯片|輝達H100|Nvidia H100 Tensor Core GPU",
    "nvidia-h100-pcie": "H100 PCIe|H100-PCIE-80GB|NVIDIA H100 PCIe 80GB|H100 80GB PCIe",
    "nvidia-h100-nvl": "H100 NVL|NVIDIA H100 NVL 94GB|H100-NVL",
    "nvidia-h200-sxm": "H200|NVIDIA H200 SXM|H200 141GB|H200 SXM 141GB|엔비디아 H200|H200芯片|英伟达H200",
    "nvidia-h200-nvl": "H200 NVL|NVIDIA H200 NVL",
    "nvidia-h20": "H20|NVIDIA H20|H20 96GB|h20-96g|엔비디아 H20|H20 칩|H20芯片|英伟达H20|輝達H20|Nvidia's H20 GPU",
    "nvidia-h20-141gb": "H20 141GB|H20-3e|H20e|NVIDIA H20 141G",
    "nvidia-h800-sxm": "H800|NVIDIA H800|H800 SXM|엔비디아 H800",
    "nvidia-h800-pcie": "H800 PCIe|NVIDIA H800 PCIe 80GB",
    "nvidia-a100-sxm": "A100|NVIDIA A100|A100 80GB|A100-SXM4-80GB|NVIDIA A100 80GB SXM4|엔비디아 A100|英伟达A100",
    "nvidia-a100-sxm-40gb": "A100 SXM4 40GB|A100-SXM4-40GB|A100 SXM 40 GB",
    "nvidia-a100-pcie-80gb": "A100 PCIe|A100-PCIE-80GB|NVIDIA A100 PCIe 80GB|A100 80GB PCIe",
    "nvidia-a100-pcie-40gb": "A100 PCIe 40GB|A100-PCIE-40GB",
    "nvidia-a800-sxm": "A800|NVIDIA A800|엔비디아 A800",
    "nvidia-b200": "B200|NVIDIA B200|B200 SXM|HGX B200|Blackwell B200|B200 192GB|엔비디아 B200|블랙웰 B200|英伟达B200",
    "nvidia-b300": "B300|NVIDIA B300|Blackwell Ultra|HGX B300|B300 288GB",
    "nvidia-gb200": "GB200|NVIDIA GB200|GB200 superchip|엔비디아 GB200|그레이스 블랙웰",
    "nvidia-gb300": "GB300|NVIDIA GB300|GB300 칩",
    "nvidia-b30a": "B30A|NVIDIA B30A|엔비디아 B30A",
    "nvidia-rubin": "Rubin|NVIDIA Rubin|VR200|R200|루빈|엔비디아 루빈",
    "nvidia-rubin-ultra": "Rubin Ultra|NVIDIA Rubin Ultra",
    "nvidia-gh200-96gb": "GH200 96GB|NVIDIA GH200 96GB",
    "nvidia-gh200-144gb": "GH200 144GB|GH200 HBM3e",
    "nvidia-l40s": "L40S|NVIDIA L40S|L40S 48GB|엔비디아 L40S",
    "nvidia-l20": "L20|NVIDIA L20",
    "nvidia-l4": "L4|NVIDIA L4|L4 24GB|NVIDIA L4 GPU",
    "nvidia-l2": "NVIDIA L2|L2",
    "nvidia-a10": "A10|NVIDIA A10",
    "nvidia-a10g": "A10G|NVIDIA A10G",
    "nvidia-a2": "NVIDIA A2|NVIDIA A2 16GB",
    "nvidia-t4": "T4|Tesla T4|NVIDIA T4|NVIDIA Tesla T4",
    "nvidia-v100-sxm2": "V100|Tesla V100|NVIDIA V100|V100 SXM2|V100 32GB",
    "nvidia-p40": "P40|Tesla P40|NVIDIA P40",
    "nvidia-p100-sxm2": "P100|Tesla P100",
    "nvidia-rtx-4090": "RTX 4090|RTX4090|GeForce RTX 4090|NVIDIA GeForce RTX 4090|4090|지포스 RTX 4090|4090显卡",
    "nvidia-rtx-4090-d": "RTX 4090 D|RTX 4090D|4090D|GeForce RTX 4090 D",
    "nvidia-rtx-5090": "RTX 5090|RTX5090|GeForce RTX 5090|5090|지포스 RTX 5090|5090显卡",
    "nvidia-rtx-5090-d": "RTX 5090 D|5090D|RTX5090D",
    "nvidia-rtx-5090-d-v2": "RTX 5090 D V2|5090D V2",
    "nvidia-rtx-3090": "RTX 3090|3090|GeForce RTX 3090",
    "nvidia-rtx-6000-ada": "RTX 6000 Ada|NVIDIA RTX 6000 Ada Generation",
    "nvidia-rtx-a6000": "RTX A6000|A6000|NVIDIA RTX A6000",
    "nvidia-rtx-pro-6000": "RTX PRO 6000|RTX PRO 6000 Blackwell|RTX PRO 6000 Server Edition",
    "nvidia-rtx-pro-6000-workstation": "RTX PRO 6000 Workstation|RTX PRO 6000 Blackwell Workstation Edition",
    "nvidia-rtx-pro-6000d": "RTX PRO 6000D|RTX 6000D|6000D|엔비디아 RTX PRO 6000D",
    "nvidia-gb10": "GB10|NVIDIA GB10",
    "nvidia-jetson-t5000": "Jetson T5000|Jetson Thor T5000",
    "nvidia-jetson-agx-orin-64gb": "Jetson AGX Orin|Jetson AGX Orin 64GB",
    "nvidia-jetson-orin-nano-super": "Jetson Orin Nano|Jetson Orin Nano Super",
    "nvidia-drive-orin": "Orin X|DRIVE Orin|NVIDIA DRIVE Orin",
    "amd-mi300x": "MI300X|AMD MI300X|Instinct MI300X|AMD Instinct MI300X|MI300X 192GB|AMD 인스팅트 MI300X|超威MI300X",
    "amd-mi300a": "MI300A|AMD MI300A",
    "amd-mi308x": "MI308X|MI308|AMD MI308|Instinct MI308X",
    "amd-mi325x": "MI325X|AMD MI325X",
    "amd-mi355x": "MI355X|AMD MI355X|Instinct MI355X",
    "amd-mi250x": "MI250X|AMD MI250X",
    "amd-mi250": "MI250|AMD Instinct MI250",
    "amd-mi100": "MI100|AMD MI100",
    "amd-rx-7900-xtx": "RX 7900 XTX|7900XTX|Radeon RX 7900 XTX|라데온 RX 7900 XTX",
    "amd-ryzen-ai-max-395": "Strix Halo|Ryzen AI Max+ 395",
    "intel-gaudi-2": "Gaudi 2|Gaudi2|Intel Gaudi 2|HL-225H|가우디2|Habana Gaudi2|Intel Habana Gaudi 2",
    "intel-gaudi-3": "Gaudi 3|Gaudi3|Intel Gaudi 3|가우디 3",
    "intel-gpu-max-1550": "Ponte Vecchio|GPU Max 1550|PVC",
    "intel-arc-b580": "Arc B580|Intel Arc B580|B580",
    "google-tpu-v4": "TPU v4|TPUv4|Google TPU v4|4세대 TPU",
    "google-tpu-v5e": "TPU v5e|v5e|Google TPU v5e",
    "google-tpu-v5p": "TPU v5p|TPUv5p",
    "google-tpu-v6e": "TPU v6e|Trillium|트릴리움",
    "google-tpu-v7": "TPU v7|Ironwood|TPU7x|아이언우드|Google Ironwood",
    "google-tpu-8t": "TPU 8t|TPU8t",
    "aws-trainium1": "Trainium1|Trn1|AWS Trainium 1",
    "aws-trainium2": "Trainium2|Trainium 2|Trn2|AWS Trainium2|트레이니엄2",
    "aws-trainium3": "Trainium3|Trn3",
    "aws-inferentia2": "Inferentia2|Inf2|AWS Inferentia 2",
    "microsoft-maia-100": "Maia 100|Microsoft Maia 100",
    "meta-mtia-v2": "MTIA v2|Meta MTIA v2",
    "tesla-dojo-d1": "Dojo|Dojo D1|Tesla Dojo",
    "groq-lpu-v1": "Groq LPU|GroqChip|그록 LPU",
    "cerebras-wse-3": "WSE-3|Cerebras WSE-3|CS-3|세레브라스 WSE-3",
    "sambanova-sn40l": "SN40L|SambaNova SN40L",
    "tenstorrent-n300": "Wormhole n300|n300",
    "graphcore-gc200": "GC200|Graphcore GC200|IPU Mk2",
    "apple-m3-ultra": "M3 Ultra|Apple M3 Ultra|M3 울트라",
    "huawei-ascend-910b": "910B|Ascend 910B|Huawei Ascend 910B|Huawei 910B|昇腾910B|华为昇腾910B|昇騰910B|어센드 910B|"
    "화웨이 어센드 910B|Ascend910B",
    "huawei-ascend-910b4": "910B4|Ascend 910B4|昇腾910B4",
    "huawei-ascend-910c": "910C|Ascend 910C|Huawei Ascend 910C|华为海思昇腾910C|화웨이 910C|화웨이 어센드 910C|昇腾910C|"
    "华为昇腾910C芯片|Ascend-910C",
    "huawei-ascend-910a": "Ascend 910A|910A|昇腾910A",
    "huawei-ascend-950pr": "Ascend 950PR|950PR|昇腾950PR|어센드 950PR",
    "huawei-ascend-950dt": "Ascend 950DT|950DT",
    "huawei-ascend-310p": "Ascend 310P|310P3|Atlas 300I Pro|昇腾310P",
    "huawei-atlas-300i-duo": "Atlas 300I Duo|300I Duo|아틀라스 300I 듀오|Atlas 300I Duo 96GB",
    "huawei-atlas-350": "Atlas 350|Huawei Atlas 350|아틀라스 350",
    "huawei-kirin-9000s": "Kirin 9000S|麒麟9000S|기린 9000S",
    "cambricon-mlu590": "MLU590|Cambricon MLU590|Siyuan 590|思元590|寒武纪思元590|시위안 590|캄브리콘 MLU590",
    "cambricon-mlu690": "MLU690|思元690",
    "cambricon-mlu370-x8": "MLU370-X8|Cambricon MLU370-X8",
    "kunlunxin-p800": "Kunlun P800|P800|昆仑芯P800|百度昆仑芯P800|쿤룬 P800|바이두 쿤룬 P800|Baidu Kunlun P800|"
    "百度昆仑芯P800 GPU",
    "kunlunxin-m100": "Kunlun M100|昆仑芯M100|Kunlunxin M100",
    "metax-c500": "C500|MetaX C500|曦云C500|沐曦C500|메타엑스 C500",
    "metax-c600": "C600|MetaX C600|曦云C600",
    "metax-c550": "MetaX C550|曦云C550",
    "moore-threads-s4000": "MTT S4000|Moore Threads S4000|摩尔线程S4000|S4000",
    "moore-threads-s5000": "MTT S5000|摩尔线程S5000|무어스레드 S5000",
    "moore-threads-s80": "MTT S80|摩尔线程S80",
    "biren-br100": "BR100|Biren BR100|壁仞BR100|비런 BR100",
    "biren-166m": "BiLi 166M|壁砺166M",
    "hygon-k100-ai": "K100_AI|K100-AI|Hygon K100-AI",
    "hygon-bw1000": "BW1000|海光BW1000|深算三号",
    "enflame-s60": "Enflame S60|燧原S60|S60",
    "iluvatar-bi-v150": "BI-V150|天垓150|Tiangai 150",
    "iluvatar-bi-v100": "BI-V100|天垓100|Iluvatar BI-V100",
    "t-head-zhenwu-810e": "Zhenwu 810E|真武810E|平头哥PPU|T-Head PPU|阿里PPU",
    "t-head-hanguang-800": "Hanguang 800|含光800",
    "horizon-robotics-journey-5": "Journey 5|征程5|J5",
    "sophgo-bm1684x": "BM1684X|算能BM1684X",
    "rockchip-rk3588": "RK3588|Rockchip RK3588|瑞芯微RK3588",
    "furiosaai-rngd": "RNGD|FuriosaAI RNGD|레니게이드|퓨리오사 레니게이드|Renegade",
    "furiosaai-warboy": "Warboy|워보이",
    "rebellions-atom": "리벨리온 아톰|Rebellions ATOM|RBLN-CA12",
    "rebellions-atom-max": "ATOM-Max|아톰맥스",
    "rebellions-rebel-quad": "REBEL-Quad|Rebel Quad|리벨쿼드|REBEL100",
    "sapeon-x330": "X330|SAPEON X330|사피온 X330|리벨리온 사피온 X330",
    "deepx-dx-m1": "DX-M1|딥엑스 DX-M1",
    "mobilint-aries": "Mobilint ARIES|MLA100",
    "preferred-networks-mn-core-2": "MN-Core 2",
}  # fmt: skip
SYSTEMS = {
    "nvidia-dgx-h100": "DGX H100|NVIDIA DGX H100|HGX H100|H100 서버|H100服务器|8xH100",
    "nvidia-dgx-h200": "DGX H200|HGX H200",
    "nvidia-dgx-b200": "DGX B200|NVIDIA HGX B200",
    "nvidia-dgx-b300": "DGX B300",
    "nvidia-dgx-spark": "DGX Spark|Project DIGITS|DGX 스파크",
    "nvidia-gb200-nvl72": "GB200 NVL72|NVL72|NVIDIA GB200 NVL72|GB200 NVL72 rack",
    "nvidia-gb300-nvl72": "GB300 NVL72|NVIDIA GB300 NVL72",
    "nvidia-hgx-h20": "HGX H20|H20 server|H20 서버|H20服务器",
    "huawei-cloudmatrix-384": "CloudMatrix 384|CloudMatrix384|CM384|클라우드매트릭스 384|昇腾384超节点|"
    "Huawei CloudMatrix 384",
    "huawei-atlas-800t-a2": "Atlas 800T A2",
    "huawei-atlas-800i-a2": "Atlas 800I A2",
    "huawei-atlas-800t-a3": "Atlas 800T A3",
    "huawei-atlas-950-superpod": "Atlas 950 SuperPoD|Atlas 950|Atlas 950超节点",
    "google-tpu-v7-pod": "Ironwood pod|아이언우드 팟",
    "aws-trn2-ultraserver": "Trn2 UltraServer",
    "cerebras-cs-3": "Cerebras CS-3",
    "alibaba-panjiu-al128": "Panjiu AL128|磐久AL128",
    "moore-threads-kuae-10k": "KUAE|夸娥",
    "amd-helios-72": "Helios rack|AMD Helios",
}
SEVERAL = {
    "A2": {"nvidia-a2", "huawei-ascend-910b"},
    "GH200": {"nvidia-gh200-96gb", "nvidia-gh200-144gb"},
    "A100 40GB": {"nvidia-a100-sxm-40gb", "nvidia-a100-pcie-40gb"},
    "Jetson Thor": {"nvidia-jetson-t5000", "nvidia-jetson-t4000"},
    "RTX PRO 5000": {"nvidia-rtx-pro-5000-48gb", "nvidia-rtx-pro-5000-72gb"},
    "Ascend 910": {"huawei-ascend-910", "huawei-ascend-910b", "huawei-ascend-910c"},
    "昇腾910": {"huawei-ascend-910", "huawei-ascend-910b"},
    "MLU370": {"cambricon-mlu370-x8", "cambricon-mlu370-s4"},
    "华山": {"moore-threads-huashan", "black-sesame-a1000"},
    "Trainium": {"aws-trainium1", "aws-trainium2"},
    "H100 94GB": {"nvidia-h100-nvl"},
    "DCU K100": {"hygon-k100", "hygon-k100-ai"},
    "M100": {"kunlunxin-m100"},
    "Atlas 300I A2": {"huawei-atlas-300i-a2-32gb", "huawei-atlas-300i-a2-64gb"},
}


def meant(lookup: Callable[[str], Any], name: str) -> set[str]:
    """The id that a lookup finds, or the candidates that it lists."""
    try:
        return {lookup(name).id}
    except AmbiguousName as several:
        return set(several.candidates)


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, identifier) for identifier, names in table.items() for name in names.split("|")]


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert len(ASKED) + len(SYSTEMS) >= 142
    assert len(pairs(ASKED)) >= 350


@pytest.mark.parametrize(("name", "chip"), pairs(ASKED))
def test_chips_that_people_ask_for(name: str, chip: str) -> None:
    assert FACTS.chip(name).id == chip


@pytest.mark.parametrize(("name", "system"), pairs(SYSTEMS))
def test_systems_that_people_ask_for(name: str, system: str) -> None:
    assert FACTS.system(name).id == system


@pytest.mark.parametrize(("name", "among"), SEVERAL.items())
def test_names_of_several_things_list_them(name: str, among: set[str]) -> None:
    with pytest.raises(AmbiguousName) as caught:
        FACTS.chip(name)
    assert among <= set(caught.value.candidates)
    assert all(identifier in str(caught.value) for identifier in among)


@pytest.mark.parametrize("name", ["중", "美", "한", "日", "北", "국내"])
def test_one_character_and_relative_words_need_context(name: str) -> None:
    for lookup in (FACTS.country, FACTS.entity):
        with pytest.raises(InputError):
            lookup(name)
    with pytest.raises(InputError):
        find(FACTS, name)


@pytest.mark.parametrize(
    "name", ["H100 64GB", "RTX 4090 48GB", "H20 PCIe", "AMD H100", "Huawei B200", "MI300X 80GB", "GPU", "칩"]
)
def test_what_does_not_fit_is_unknown(name: str) -> None:
    with pytest.raises(UnknownName):
        FACTS.chip(name)


def test_a2_never_captures_a_910b() -> None:
    for name in ("A2", "a2", "NVIDIA A2", "Ascend 910B A2 server", "A2 GPU"):
        try:
            found = FACTS.chip(name).id
        except InputError:
            continue
        assert found != "huawei-ascend-910b" or "910B" in name


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_makers_fillers_and_spacing_around_a_name_change_nothing(data: st.DataObject) -> None:
    name, chip = data.draw(st.sampled_from([(n, c) for n, c in pairs(ASKED) if not re.search(r"칩|芯片|GPU|显卡", n)]))
    maker = FACTS.entities[FACTS.chips[chip].maker].names
    before = data.draw(st.sampled_from(["", f"{maker.en} ", f"{maker.ko} " if maker.ko else "", maker.zh]))
    after = data.draw(st.sampled_from(["", " GPU", " accelerator", " 칩", "芯片", " chip", " 가속기"]))
    generator = random.Random(data.draw(st.integers(0, 10**6)))
    typed = "".join(
        generator.choice(("-", "_", " ")) if letter in " -_" else generator.choice((letter.upper(), letter.lower()))
        for letter in before + name + after
    )
    assert chip in meant(FACTS.chip, typed)  # a filler may be part of another name: a card and a server of one name


@given(st.text(max_size=40))
def test_any_text_is_taken_apart(text: str) -> None:
    assert take_apart(text, {"nvidia": "nvidia", "엔비디아": "nvidia"}).memory >= 0


def test_every_name_of_the_index_is_found_or_lists_its_record() -> None:
    lookups = {"chip": FACTS.chip, "system": FACTS.system, "model": FACTS.model, "entity": FACTS.entity,
               "country": FACTS.country}  # fmt: skip
    assert len(FACTS.names) >= 2300
    for name in FACTS.names:
        found = meant(lookups[name.kind], name.name)
        assert name.id in found, name.name
        assert len(found) == 1 or name.flag in ("also", "context"), name.name


def test_names_are_in_the_script_they_say() -> None:
    for name in FACTS.names:
        if name.language == "ko" and not re.search("[A-Za-z0-9]", name.name):
            assert re.search("[가-힣\u4e00-\u9fff]", name.name), name.name
        if re.search("[가-힣]", name.name):
            assert name.language == "ko", name.name


def test_every_alias_of_a_record_leads_back_to_it() -> None:
    for chip in FACTS.chips.values():
        for alias in chip.aliases:
            assert FACTS.chip(alias).id == chip.id
    for system in FACTS.systems.values():
        for alias in system.aliases:
            assert FACTS.system(alias).id == system.id

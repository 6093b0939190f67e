# ruff: noqa: E501  (tables of sentences)
"""Articles of the project's own for the evidence tests: invented sentences, three languages."""

ENGLISH = """---
title: Fabs, racks and prices
date: 2025-09-25
---

# Fabs, racks and prices

Huawei's CloudMatrix 384 links 384 Ascend 910C chips and outperforms Nvidia's GB200 NVL72, according to analysts. It uses \
5.3 times as many chips as the American machine.

SMIC's yield on its 7nm process has reached 60%, industry sources said. The foundry plans to double its 7nm capacity by 2026.

Smuggled Nvidia chips worth about $1 billion reached China in three months, the Financial Times reported on July 25.

DeepSeek charges $1.68 per million output tokens for V3.1, up to 50 times less than Claude Opus 4.1 ($75) and GPT-5 ($10).

Cambricon, a Beijing start-up, posted revenue of 1.77 billion yuan ($247 million) in the second quarter. Its shares rose 15% \
on Tuesday.

SK Hynix holds 62% of the HBM market by shipments in the second quarter. The domestic share of the market rose to 40%.

Analysts say the ban on low-end chips is meaningless. Export controls only accelerate domestic substitution, they argue. \
Licences for Malaysia and Thailand would curb diversion.

The lead belongs to Ascend, a Shenzhen chipmaker.
"""

KOREAN = """엔비디아 H200, 중국 수출 여전히 막혀
2026.02.10 09:00 홍길동 기자

미국이 H200의 중국 수출을 금지하고 있는 가운데 화웨이는 올해 어센드 910C를 60만 개 생산할 계획이라고 블룸버그가 보도했다.

H20의 메모리는 96GB, 대역폭은 4TB/s다. 소비전력은 700W로 알려졌다.

정부는 2026년 AI 예산으로 10조1천억원을 편성했다.

캠브리콘의 지난해 2분기 매출은 17억6900만위안(약 3400억원)으로 집계됐다.

말레이시아를 통한 우회수출이 늘자 미 상무부는 수출 허가제를 검토하고 있다. 통제가 중국의 국산화를 앞당길 것이라는 전망도 있다.

B20O 칩이 들어간 서버도 거래된다. 이 시장을 두고 '헤징'이라는 착각을 버려야 한다는 말이 나온다.
"""

CHINESE = """华为产能将翻倍
2025年10月2日

据彭博社报道，华为计划2026年生产60万颗昇腾910C芯片。中芯国际7纳米工艺的良率约为40%，业内人士表示。

华为CloudMatrix 384超节点集成了384颗昇腾910C芯片，性能超过英伟达的GB200 NVL72。

寒武纪2025年第二季度营收17.69亿元（约2.47亿美元）。

英伟达H20对华出口仍被禁止。美国政府要求英伟达上缴H20在华销售收入的15%。

深度求索V3.1的输出价格为每百万token 1.68美元，GPT-5为10美元。出口管制反而加速了国产替代。
"""

"""Pain Self-Efficacy Questionnaire: ten items of 0 to 6, higher is better."""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered

NICHOLAS = "Nicholas, Eur J Pain 2007;11:153"
CHIAROTTO = "Chiarotto et al. 2016; range 5.5 to 8.5"
DUBE = "Dubé et al. 2021; 95 %"
ITEMS = numbered(10)

INSTRUMENT = Instrument(
    code="PSEQ",
    name="Pain Self-Efficacy Questionnaire",
    version="10 items",
    items=ITEMS,
    item_low=0,
    item_high=6,
    recall_days=0,
    scales=(
        Scale(
            code="PSEQ",
            label="Pain self-efficacy (PSEQ)",
            items=ITEMS,
            low=0,
            high=60,
            better="higher",
            missing=Missing(at_most=1, method="prorate"),  # the limit is our convention
            mic=(Threshold(5.5, "points", CHIAROTTO),),
            mdc=(Threshold(11.52, "points", DUBE),),
            bands=(Band("poor", below=40), Band("good", to=60)),
            bands_source="Ferrari et al. 2019",
        ),
    ),
    licence="Scoring may be shipped; the wording is the author's and is not here.",
    citation=NICHOLAS,
    scoring_version="PSEQ-1",
)

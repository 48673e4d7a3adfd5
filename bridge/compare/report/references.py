"""Papers that a methods paragraph may cite."""

REFERENCES = {
    "Kim et al. 2019": (
        "R. Kim, Y. Li & T. J. Sejnowski, Simple framework for constructing functional spiking "
        "recurrent neural networks, PNAS 116:22811 (2019)"
    ),
    "Cao et al. 2015": (
        "Y. Cao, Y. Chen & D. Khosla, Spiking deep convolutional neural networks for "
        "energy-efficient object recognition, Int. J. Comput. Vision 113:54 (2015)"
    ),
    "Diehl et al. 2015": (
        "P. U. Diehl et al., Fast-classifying, high-accuracy spiking deep networks through weight "
        "and threshold balancing, IJCNN (2015)"
    ),
    "Rueckauer et al. 2017": (
        "B. Rueckauer et al., Conversion of continuous-valued deep networks to efficient "
        "event-driven networks for image classification, Front. Neurosci. 11:682 (2017)"
    ),
    "Stimberg et al. 2019": (
        "M. Stimberg, R. Brette & D. F. M. Goodman, Brian 2, an intuitive and efficient neural "
        "simulator, eLife 8:e47314 (2019)"
    ),
    "Eshraghian et al. 2023": (
        "J. K. Eshraghian et al., Training spiking neural networks using lessons from deep "
        "learning, Proc. IEEE 111:1016 (2023)"
    ),
    "Gewaltig & Diesmann 2007": (
        "M.-O. Gewaltig & M. Diesmann, NEST (NEural Simulation Tool), Scholarpedia 2:1430 (2007)"
    ),
    "McNemar": "Q. McNemar, Psychometrika 12:153 (1947)",
    "Westfall & Young 1993": (
        "P. H. Westfall & S. S. Young, Resampling-Based Multiple Testing, Wiley (1993)"
    ),
    "Shinomoto et al. 2003": (
        "S. Shinomoto, K. Shima & J. Tanji, Differences in spiking patterns among cortical "
        "neurons, Neural Comput. 15:2823 (2003)"
    ),
}


def cited(text: str) -> list[str]:
    """The papers that a text cites, in the order in which it does."""
    found = sorted((text.index(name), paper) for name, paper in REFERENCES.items() if name in text)
    return [paper for _, paper in found]

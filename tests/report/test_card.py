"""A card has fields of the registry: those of the fit, and those that were given."""

import math

import pytest

from skdpgmm import DPKMeans, report
from skdpgmm._report.card import ASKED

# Of schemas/deployments-schema.yaml of opendp/deployments-registry-data, July 2026.
SCHEMA = {
    "basic": "name data_curators intended_use data_product_type data_product_region "
    "description publication_date data_product_sector",
    "dp_variant": "variant_name data_domain unprotected_quantities",
    "privacy_loss": "privacy_unit privacy_unit_details privacy_parameters "
    "privacy_parameters_details",
    "deployment_model": "model_name model_name_details actors release_type "
    "release_type_details data_source_type data_source_type_details access_type "
    "access_type_details",
    "accounting": "post_processing composition",
    "implementation": "preprocessing_and_hyperparameter_tuning mechanisms "
    "justification",
    "administrative": "sources notes registry_authors",
}
GIVEN = {"name": "Clusters", "data_curators": ["A clinic"], "sources": "none"}


def test_fields_are_those_of_the_schema(fitted):
    told = report(fitted, card=GIVEN).to_dict()
    for group, fields in told["card"].items():
        assert fields.keys() <= set(SCHEMA[group].split())
    for name, (group, _) in ASKED.items():
        assert name in SCHEMA[group].split()
    assert told["card"]["basic"] == {"name": "Clusters", "data_curators": ["A clinic"]}
    loss = told["card"]["privacy_loss"]
    assert loss["privacy_parameters"] == {"epsilon": 3.0, "delta": 1e-5}
    assert loss["privacy_unit"] == "one record"
    assert "n_features (3)" in told["card"]["dp_variant"]["unprotected_quantities"]
    missing = told["card_missing"]
    assert set(missing) == ASKED.keys() - GIVEN.keys()
    # What is required comes first.
    required = [ASKED[name][1] for name in missing]
    assert required == sorted(required, reverse=True)


def test_nothing_is_promised_where_nothing_holds(fitted):
    found = DPKMeans(2, epsilon=math.inf).fit([[0.0], [1.0], [2.0]])
    card = report(found).to_dict()["card"]
    assert "privacy_parameters" not in card["privacy_loss"]
    assert "variant_name" not in card["dp_variant"]
    assert card["privacy_loss"]["privacy_parameters_details"].startswith("NOT PRIVATE")
    assert card["implementation"]["mechanisms"].startswith("None")


@pytest.mark.parametrize(
    "given, error, message",
    [
        (3, TypeError, "card must be a dict"),
        ({"epsilon": 0.1}, ValueError, "card must have fields .* got 'epsilon'"),
        ({"name": 3}, ValueError, "name of card must be a text, got 3"),
        ({"data_curators": "one"}, ValueError, "data_curators .* list of texts"),
    ],
)
def test_what_cannot_be_given_is_refused(given, error, message, fitted):
    with pytest.raises(error, match=message):
        report(fitted, card=given)

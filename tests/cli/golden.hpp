// Expected outputs in tests/cli/golden. With MOESIM_UPDATE_GOLDEN=1 in the environment the tests write them instead of
// comparing; look at the difference before committing it, and say in the commit why the new numbers are right.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace moesim::testing {

[[nodiscard]] std::filesystem::path golden_folder();

// The whole text must be as in golden/NAME.
void expect_golden_text(std::string_view name, const std::string& text);

// A JSON object must have exactly the entries of golden/NAME, `{"KEY": {"value": ..., "relative_tolerance": ...}}`.
// Numbers may differ by the tolerance; those in an object or list by that of its largest; anything else is equal. An
// update keeps the tolerances that are there; a new number or object gets 1e-9, a whole number 0.
void expect_golden_json(std::string_view name, const std::string& json);

} // namespace moesim::testing

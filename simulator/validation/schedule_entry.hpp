// Pipeline schedules as papers print them: the times of the passes, and the share of a step that stages idle or the
// samples a second that come of it.
#pragma once

#include "simulator/validation/entry.hpp"
#include "simulator/validation/question.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// Timed by schedulers::time_passes() with the source's own times of a forward, both backwards and a transfer. Of a
// bubble its complement is compared, since a fraction of no bubble says nothing. Throws Unpredictable where schedule,
// size or times are missing.
[[nodiscard]] Question schedule_question(const Entry& entry, const Vocabulary& vocabulary);

} // namespace moesim::validation

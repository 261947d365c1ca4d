// Runs work in a process of its own and brings back the text it makes.
#pragma once

#include <functional>
#include <string>

namespace moesim::cli {

// Forks; the child runs `work` and sends its text back. An exception of the child comes back as InternalError, and so
// does a crash: what can be the user's fault was checked before.
[[nodiscard]] std::string in_separate_process(const std::function<std::string()>& work);

} // namespace moesim::cli

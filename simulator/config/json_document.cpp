#include "simulator/config/json_document.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulator/base/check.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/config/source_text.hpp"
#include "simulator/config/tree_builder.hpp"

namespace moesim::config {
namespace {

struct Token {
  Position position;
  std::string_view text;
};

// Walks over the tokens of a text that nlohmann-json has already read up to here.
class Cursor {
public:
  Cursor(std::string_view text, Position start) : text_(text), position_(std::move(start)) {}

  // The next bracket, string, number or literal; commas and colons are passed over.
  Token next() {
    while (at_ < text_.size() && std::string_view(" \t\n,:").find(text_[at_]) != std::string_view::npos)
      advance(1);
    Token token{position_, text_.substr(at_, token_size())};
    advance(token.text.size());
    return token;
  }

private:
  [[nodiscard]] std::size_t token_size() const {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty() || rest[0] == '{' || rest[0] == '}' || rest[0] == '[' || rest[0] == ']')
      return std::min<std::size_t>(rest.size(), 1);
    if (rest[0] != '"')
      return std::min(rest.find_first_of(" \t\n,:]}"), rest.size());
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != '"')
      end += rest[end] == '\\' ? 2u : 1u;
    return std::min(end + 1, rest.size());
  }

  // Only single characters are ever line ends: no token of valid JSON spans lines.
  void advance(std::size_t bytes) {
    if (bytes == 1 && text_[at_] == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      position_.column += static_cast<int>(bytes);
    }
    at_ += bytes;
  }

  std::string_view text_;
  Position position_;
  std::size_t at_ = 0;
};

// "[json.exception...] parse error at line 1, column 9: syntax error while parsing value - REASON; last read: '..';
// expected THIS" to "REASON; expected THIS".
std::string reason(std::string_view message) {
  if (const auto dash = message.find(" - "); dash != std::string_view::npos)
    message.remove_prefix(dash + 3);
  else if (const auto bracket = message.find("] "); bracket != std::string_view::npos)
    message.remove_prefix(bracket + 2);
  std::string text(message);
  const auto last_read = text.find("; last read: '");
  const auto expected = text.rfind("; expected ");
  if (last_read != std::string::npos)
    text.erase(last_read,
               expected != std::string::npos && expected > last_read ? expected - last_read : std::string::npos);
  return text;
}

// Feeds nlohmann-json's events, whose names and return values it prescribes, to a TreeBuilder.
class JsonEvents {
public:
  JsonEvents(const std::string& text, const Position& start, Problems& problems)
      : text_(&text), start_(start), cursor_(text, start), builder_(problems), problems_(&problems) {}

  std::optional<Node> take() { return builder_.take(); }

  bool null() {
    Node node;
    node.position = cursor_.next().position;
    builder_.leaf(std::move(node));
    return true;
  }
  bool boolean(bool) { return literal(); }
  bool number_integer(std::int64_t) { return literal(); }
  bool number_unsigned(std::uint64_t) { return literal(); }
  bool number_float(double, const std::string&) { return literal(); }
  bool string(std::string& value) {
    Node node;
    node.kind = Node::Kind::Scalar;
    node.scalar = value;
    node.quoted = true;
    node.position = cursor_.next().position;
    builder_.leaf(std::move(node));
    return true;
  }
  bool key(std::string& value) { return string(value); }
  bool binary(std::vector<std::uint8_t>&) { return false; } // never sent for JSON text
  bool start_object(std::size_t) { return begin(Node::Kind::Map); }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return begin(Node::Kind::Sequence); }
  bool end_array() { return end(); }

  bool parse_error(std::size_t bytes_read, const std::string&, const nlohmann::json::exception& error) {
    const std::size_t offset = std::min(std::max<std::size_t>(bytes_read, 1) - 1, text_->size());
    problems_->add(position_at(*text_, offset, start_), "",
                   fmt::format("not valid JSON: {}", shown_reason(error.what())));
    return false;
  }

private:
  static std::string shown_reason(std::string_view message) {
    const std::string text = reason(message);
    const auto expected = text.find("; expected ");
    if (expected == std::string::npos)
      return shown(text) + "; expected JSON without comments, trailing commas or single quotes";
    return shown(text.substr(0, expected)) + text.substr(expected);
  }

  bool literal() {
    Token token = cursor_.next();
    Node node;
    node.kind = Node::Kind::Scalar;
    node.scalar = token.text;
    node.position = std::move(token.position);
    builder_.leaf(std::move(node));
    return true;
  }
  bool begin(Node::Kind kind) {
    builder_.begin(kind, cursor_.next().position);
    return true;
  }
  bool end() {
    (void)cursor_.next();
    builder_.end();
    return true;
  }

  const std::string* text_;
  Position start_;
  Cursor cursor_;
  TreeBuilder builder_;
  Problems* problems_;
};

} // namespace

Node parse_json_value(const std::string& text, const Position& start, Problems& problems) {
  const std::string checked = checked_text(text, start);
  if (checked.find_first_not_of(" \t\r\n") == std::string::npos)
    throw InputError(start, "", "the document is empty; expected a map of fields in JSON");
  JsonEvents events(checked, start, problems);
  if (!nlohmann::json::sax_parse(checked, &events))
    problems.throw_if_any();
  std::optional<Node> document = events.take();
  MOESIM_CHECK(document, "JSON without an error is one value");
  return *std::move(document);
}

} // namespace moesim::config

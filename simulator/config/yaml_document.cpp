#include "simulator/config/yaml_document.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "simulator/config/quote.hpp"
#include "simulator/config/source_text.hpp"
#include "simulator/config/tree_builder.hpp"

namespace moesim::config {
namespace {

// yaml-cpp counts from 0, and says -1 where it knows no place.
Position position_of(const YAML::Mark& mark, const Position& start) {
  const int line = std::max(mark.line, 0);
  const int column = std::max(mark.column, 0);
  return {start.file, start.line + line, (line == 0 ? start.column : 1) + column};
}

// Feeds yaml-cpp's events to a TreeBuilder.
class YamlEvents : public YAML::EventHandler {
public:
  YamlEvents(const Position& start, Problems& problems) : start_(start), problems_(&problems), builder_(problems) {}

  std::optional<Node> take() { return builder_.take(); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.position = position_of(mark, start_);
    builder_.leaf(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.alias(anchor, position_of(mark, start_));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::Scalar;
    node.scalar = value;
    // yaml-cpp's tag is "?" for a plain scalar without a tag and "!" for a quoted one.
    node.quoted = tag != "?";
    node.position = position_of(mark, start_);
    if (node.quoted && tag != "!" && tag != "tag:yaml.org,2002:str")
      refuse_tag(tag, node.position);
    builder_.leaf(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Node::Kind::Sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { builder_.end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Node::Kind::Map, mark, tag, anchor);
  }
  void OnMapEnd() override { builder_.end(); }

private:
  void begin(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Position position = position_of(mark, start_);
    if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:map" && tag != "tag:yaml.org,2002:seq")
      refuse_tag(tag, position);
    builder_.begin(kind, position, anchor);
  }

  void refuse_tag(const std::string& tag, const Position& position) {
    problems_->add(position, "", fmt::format("the tag '{}' has no meaning here; remove it", shown(tag)));
  }

  Position start_;
  Problems* problems_;
  TreeBuilder builder_;
};

// Ignores a document, but says where it starts.
class SecondDocument : public YAML::EventHandler {
public:
  SecondDocument(const Position& start, Problems& problems) : start_(start), problems_(&problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    problems_->add(position_of(mark, start_), "", "a second document starts here; expected one document per file");
    problems_->throw_if_any();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

private:
  Position start_;
  Problems* problems_;
};

// yaml-cpp queues every token of a flow collection before it sends the first event, at some 250 bytes each, so the
// limits of TreeBuilder would come too late for a file of nothing but brackets.
void check_separators(const std::string& text, const Position& start) {
  constexpr std::ptrdiff_t max_separators = 2'000'000;
  const auto separates = [](char letter) { return letter == ',' || letter == '[' || letter == '{'; };
  if (std::count_if(text.begin(), text.end(), separates) > max_separators)
    throw InputError(start, "",
                     fmt::format("the document has too many values; expected at most {} commas and opening brackets",
                                 max_separators));
}

} // namespace

Node parse_yaml_value(const std::string& text, const Position& start, Problems& problems) {
  const std::string checked = checked_text(text, start);
  check_separators(checked, start);
  std::istringstream stream(checked);
  YamlEvents events(start, problems);
  try {
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(events)) {
      SecondDocument second(start, problems);
      parser.HandleNextDocument(second);
    }
  } catch (const YAML::Exception& error) {
    problems.add(position_of(error.mark, start), "",
                 fmt::format("not valid YAML ({}); check indentation, quotes and brackets here and just above",
                             shown(error.msg)));
    problems.throw_if_any();
  }
  std::optional<Node> document = events.take();
  if (document)
    return *std::move(document);
  Node nothing;
  nothing.position = start;
  return nothing;
}

} // namespace moesim::config

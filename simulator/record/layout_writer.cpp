#include "simulator/record/layout_writer.hpp"

#include "simulator/record/text_block.hpp"

namespace moesim::record {

void LayoutWriter::text(const char* path, const std::string& value) {
  add_texts(path, {}, {&value, 1});
}

void LayoutWriter::names(const char* path, const std::vector<std::string>& values) {
  add_texts(path, {values.size()}, values);
}

void LayoutWriter::add_texts(const char* path, std::vector<std::size_t> shape, std::span<const std::string> texts) {
  TextBlock block = text_block(texts);
  Column column;
  column.path = path;
  column.unit = std::string("1"); // GCC 12 warns without reason at an assignment from a literal
  column.element = Element::Text;
  column.element_size = block.length;
  column.shape = std::move(shape);
  column.storage = std::move(block.bytes);
  columns_.push_back(std::move(column));
}

} // namespace moesim::record

#include "simulator/config/csv_text.hpp"

#include <utility>

namespace moesim::config {
namespace {

// Cuts a text into rows of cells.
class CsvReader {
public:
  CsvReader(const std::string& text, const std::string& file) : text_(text), place_{file, 1, 1} {}

  // Empty lines are left out.
  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row = read_row();
      if (row.size() > 1 || !row.front().text.empty())
        rows.push_back(std::move(row));
    }
    return rows;
  }

private:
  CsvRow read_row() {
    CsvRow row;
    while (true) {
      row.push_back(read_cell());
      const char end = at_ < text_.size() ? take() : '\n';
      if (end == '\n')
        return row;
    }
  }

  CsvCell read_cell() {
    CsvCell cell{"", place_};
    if (at_ < text_.size() && text_[at_] == '"')
      return read_quoted_cell();
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n')
      cell.text += take();
    if (cell.text.ends_with('\r'))
      cell.text.pop_back();
    return cell;
  }

  CsvCell read_quoted_cell() {
    CsvCell cell{"", place_};
    take();
    while (true) {
      if (at_ == text_.size())
        throw InputError(cell.position, "", "the quotes are not closed; expected \" at the end of the cell");
      const char letter = take();
      if (letter != '"')
        cell.text += letter;
      else if (at_ < text_.size() && text_[at_] == '"')
        cell.text += take();
      else
        break;
    }
    if (at_ < text_.size() && text_[at_] == '\r')
      take();
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n')
      throw InputError(place_, "", "text after a closing quote; expected a comma or the end of the line");
    return cell;
  }

  char take() {
    const char letter = text_[at_++];
    ++place_.column;
    if (letter == '\n')
      place_ = {place_.file, place_.line + 1, 1};
    return letter;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  Position place_;
};

} // namespace

std::vector<CsvRow> read_csv(const std::string& text, const std::string& file) {
  return CsvReader(text, file).rows();
}

} // namespace moesim::config

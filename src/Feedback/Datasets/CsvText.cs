using System.Globalization;
using System.Text;

namespace Stoa.Feedback.Datasets;

/// <summary>The flat form as RFC 4180; a field that a spreadsheet would compute gets an apostrophe before it.</summary>
internal static class CsvText
{
    public const string Header =
        "message_tree_id,message_id,parent_id,user_id,created_date,role,lang,text,review_count,review_result,deleted,rank,synthetic,model_name\r\n";

    public static void Append(StringBuilder csv, string treeId, OasstMessage message)
    {
        string?[] fields =
        [
            treeId, message.MessageId, message.ParentId, message.UserId,
            message.CreatedDate is { } created ? OasstInstant.Text(created) : null,
            message.Role, message.Lang, message.Text, Number(message.ReviewCount), Claim(message.ReviewResult), Claim(message.Deleted),
            Number(message.Rank), Claim(message.Synthetic), message.ModelName,
        ];
        csv.AppendJoin(',', fields.Select(Field)).Append("\r\n");
    }

    private static string Field(string? value)
    {
        var safe = value is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{value}" : value ?? "";
        return safe.AsSpan().ContainsAny("\",\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private static string? Number(int? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Claim(bool? value) => value switch { true => "true", false => "false", null => null };
}

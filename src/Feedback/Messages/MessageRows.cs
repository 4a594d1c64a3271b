using System.Text.Json;
using Npgsql;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Messages;

/// <summary>
/// Messages as the wire shows them, out of rows. Their statements take the acting user as <c>$1</c> and call the table <c>m</c>.
/// </summary>
internal static class MessageRows
{
    // Most messages have no emojis at all, and where there are none nobody's own are looked for.
    public const string Columns = """
        m.id, m.user_id, m.frontend_message_id, m.text, m.lang, m.role, m.emojis, m.synthetic, m.parent_id, m.created_date, m.review_result,
        m.review_count, m.deleted, m.edited, m.model_name, m.message_tree_id, m.ranking_count, m.rank,
        case when m.emojis is not null and $1::uuid is not null then
          array(select e.emoji::text from feedback.message_emoji e where e.message_id = m.id and e.user_id = $1::uuid order by e.created_date, e.emoji)
        end as own_emojis
        """;

    /// <summary>How many columns <see cref="Read"/> takes.</summary>
    public const int Width = 19;

    private static readonly Dictionary<string, int> None = [];

    public static WireMessage Read(NpgsqlDataReader row, Guid? actingId, FrontEndUser? user = null)
    {
        var author = row.GuidOrNull(1);
        return new(
            row.GetGuid(0), author, row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5) == "assistant", Emojis(row, 6),
            row.IsDBNull(18) ? [] : row.GetFieldValue<string[]>(18), actingId is null ? null : author == actingId, row.GetBoolean(7),
            row.GuidOrNull(8), row.GetFieldValue<DateTimeOffset>(9), row.IsDBNull(10) ? null : row.GetBoolean(10),
            row.GetInt32(11), row.GetBoolean(12), row.GetBoolean(13), row.StringOrNull(14), row.GetGuid(15),
            row.GetInt32(16), row.Int32OrNull(17))
        {
            User = user,
        };
    }

    /// <summary>The part of it that conversations show.</summary>
    public static ConversationMessage Part(this WireMessage message) => new(
        message.Id, message.UserId, message.FrontendMessageId, message.Text, message.Lang, message.IsAssistant, message.Emojis,
        message.UserEmojis, message.UserIsAuthor, message.Synthetic);

    public static Conversation Conversation(IEnumerable<WireMessage> messages) => new([.. messages.Select(Part)]);

    private static Dictionary<string, int> Emojis(NpgsqlDataReader row, int column) => row.IsDBNull(column)
        ? None
        : JsonSerializer.Deserialize(row.GetString(column), FeedbackJson.Default.DictionaryStringInt32) ?? None;
}

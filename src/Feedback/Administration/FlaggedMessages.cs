using Npgsql;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Administration;

/// <summary>Messages that somebody has put a red flag on.</summary>
internal sealed class FlaggedMessages(NpgsqlDataSource source)
{
    private const string Select = "select message_id, processed, created_date from feedback.flagged_message";

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<FlaggedMessageResponse>> ListAsync(int most, CancellationToken ct) => await source.ListAsync(
        Statement.Of($"{Select} order by created_date desc, message_id desc limit $1", most), Read, ct);

    public async Task<PageResult<FlaggedMessageResponse>> PageAsync(CursorPage page, CancellationToken ct)
    {
        List<object?> values = [];
        var sql = $"{Select} where true {page.Sql("created_date", "message_id", values, key => WireValues.InstantOf(key))}";
        var rows = await source.ListAsync(Statement.Of(sql, values.ToArray()), Read, ct);
        return page.Of(rows, "created_date", flag => (flag.MessageId, WireValues.TextOf(flag.CreatedDate!.Value)));
    }

    /// <summary>Null when the message has no flag.</summary>
    public async Task<FlaggedMessageResponse?> ProcessAsync(Guid messageId, CancellationToken ct) =>
        (await source.ListAsync(
            Statement.Of(
                "update feedback.flagged_message set processed = true where message_id = $1 returning message_id, processed, created_date",
                messageId),
            Read, ct)).FirstOrDefault();

    private static FlaggedMessageResponse Read(NpgsqlDataReader row) =>
        new(row.GetGuid(0), row.GetBoolean(1), row.GetFieldValue<DateTimeOffset>(2));
}

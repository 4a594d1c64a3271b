using Npgsql;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Agreement;

/// <summary>A message of which it is known what is true.</summary>
internal sealed record GoldItem(Guid MessageId, IReadOnlyDictionary<string, double> Labels);

/// <summary>How an annotator did on messages of which it is known what is true.</summary>
/// <param name="Judged">Labels that he gave where the truth is known.</param>
/// <param name="Agreed">Of these, those within a quarter of the scale of it.</param>
/// <param name="Trust">(agreed + 1) / (judged + 2), Laplace's rule of succession: one half for somebody of whom nothing is known.</param>
internal sealed record AnnotatorTrust(Guid UserId, long Judged, long Agreed, double Trust);

/// <summary>What is known to be true of messages, and who knew it.</summary>
internal sealed class GoldLabels(NpgsqlDataSource source, TimeProvider time)
{
    private const double Near = 0.25;

    private const string Trust = """
        select user_id, count(*), count(*) filter (where abs((labels ->> name)::float8 - value) <= $3)
        from feedback.gold_label join feedback.text_labels using (message_id)
        where labels ? name and ($1::uuid is null or user_id > $1)
        group by user_id order by user_id limit $2
        """;

    public async Task<List<GoldItem>> ListAsync(Guid? after, int most, CancellationToken ct)
    {
        var ids = await source.ListAsync(
            Statement.Of(
                "select distinct message_id from feedback.gold_label where $1::uuid is null or message_id > $1 order by message_id limit $2", after, most),
            row => row.GetGuid(0), ct);
        var labels = (await source.ListAsync(
            Statement.Of("select message_id, name, value from feedback.gold_label where message_id = any ($1) order by message_id, name",
                ids.ToArray()),
            row => (Id: row.GetGuid(0), Name: row.GetString(1), Value: row.GetDouble(2)), ct)).ToLookup(one => one.Id);
        return ids.ConvertAll(id => new GoldItem(id, labels[id].ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal)));
    }

    /// <summary>These and no others; none at all takes the message off the list.</summary>
    /// <exception cref="Failure">Not found: there is no such message.</exception>
    public async Task SetAsync(Guid messageId, IReadOnlyDictionary<string, double> labels, string actor, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Two who say it at the same time come one after the other.
        if (await connection.ListAsync(
            Statement.Of("select id from feedback.message where id = $1 for no key update", messageId), row => row.GetGuid(0), ct) is [])
        {
            throw Failure.NotFound("Message");
        }
        await connection.ExecuteAsync(Statement.Of("delete from feedback.gold_label where message_id = $1", messageId), ct);
        await connection.ExecuteAsync(
            Statement.Of("""
                insert into feedback.gold_label (message_id, name, value, set_by, created_date)
                select $1, name, value, $4, $5 from unnest($2::text[], $3::float8[]) as given (name, value)
                """, messageId, labels.Keys.ToArray(), labels.Values.ToArray(), actor, time.GetUtcNow()),
            ct);
        await transaction.CommitAsync(ct);
    }

    public Task<List<AnnotatorTrust>> TrustAsync(Guid? after, int most, CancellationToken ct) => source.ListAsync(
        Statement.Of(Trust, after, most, Near),
        row => new AnnotatorTrust(row.GetGuid(0), row.GetInt64(1), row.GetInt64(2), (row.GetInt64(2) + 1.0) / (row.GetInt64(1) + 2.0)), ct);

    public static IEnumerable<FieldError> Check(IReadOnlyDictionary<string, double>? labels)
    {
        if (labels is null)
        {
            yield return new("labels", "labels must be given");
        }
        else if (labels.Any(label => !Label.Names.Contains(label.Key, StringComparer.Ordinal) || label.Value is not (>= 0 and <= 1)))
        {
            yield return new("labels", $"labels are numbers from 0 to 1, named {string.Join(", ", Label.Names)}");
        }
    }
}

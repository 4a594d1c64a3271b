using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Agreement;

/// <param name="Alpha">Krippendorff's; null when nothing can be compared.</param>
/// <param name="Messages">Those that two or more labelled.</param>
internal sealed record LabelAgreement(string Label, string Measurement, double? Alpha, int Messages, int Values);

/// <param name="W">The mean of Kendall's W over the parents; null when there are none.</param>
/// <param name="Parents">Those whose replies two or more ranked.</param>
internal sealed record RankingAgreement(double? W, int Parents, int Rankings);

internal sealed record AgreementView(IReadOnlyList<LabelAgreement> Labels, RankingAgreement Rankings);

/// <summary>How far annotators agree, over the newest judgements of a time.</summary>
internal sealed class AgreementFigures(NpgsqlDataSource source)
{
    /// <summary>More than these of one kind are not looked at: what they say does not change, and the answer stays quick.</summary>
    public const int MostJudgements = 50_000;

    /// <summary>Yes or no; the others are scales.</summary>
    private static readonly HashSet<string> Nominal = new(["spam", "fails_task"], StringComparer.Ordinal);

    private const string Labels = """
        select message_id, labels from feedback.text_labels
        where task_id is not null and ($1 is null or created_date >= $1) and ($2 is null or created_date < $2)
          and ($3 is null or exists (select from feedback.message where message.id = message_id and lang = $3))
        order by created_date desc limit $4
        """;

    private const string Rankings = """
        select ranking_parent_id, ranked_ids from feedback.message_reaction
        where kind = 'ranking'
          and not coalesce(not_rankable, false) and ($1 is null or created_date >= $1) and ($2 is null or created_date < $2)
          and ($3 is null or exists (select from feedback.message where message.id = ranking_parent_id and lang = $3))
        order by created_date desc limit $4
        """;

    public async Task<AgreementView> OfAsync(string? lang, DateTimeOffset? from, DateTimeOffset? before, CancellationToken ct)
    {
        var labels = await source.ListAsync(With(Labels), row => (Message: row.GetGuid(0), Values: row.GetString(1)), ct);
        var rankings = await source.ListAsync(
            With(Rankings), row => (Parent: row.GetGuid(0), Order: (IReadOnlyList<Guid>)row.GetFieldValue<Guid[]>(1)), ct);
        return new(OfLabels(labels), OfRankings(rankings));

        NpgsqlBatchCommand With(string sql) => new(sql)
        {
            Parameters =
            {
                new() { Value = (object?)from ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                new() { Value = (object?)lang ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = MostJudgements },
            },
        };
    }

    private static List<LabelAgreement> OfLabels(List<(Guid Message, string Values)> rows) =>
    [
        .. from row in rows
           from value in JsonSerializer.Deserialize(row.Values, FeedbackJson.Default.DictionaryStringDouble)!
           group (row.Message, value.Value) by value.Key into label
           orderby label.Key
           let units = label.GroupBy(one => one.Message, one => one.Value)
           .Select(unit => unit.ToList()).Where(unit => unit.Count > 1).ToList()
           let measurement = Nominal.Contains(label.Key) ? Measurement.Nominal : Measurement.Interval
           select new LabelAgreement(
               label.Key, EnumNames<Measurement>.Write(measurement),
               KrippendorffAlpha.Of(units, measurement), units.Count, units.Sum(unit => unit.Count)),
    ];

    private static RankingAgreement OfRankings(List<(Guid Parent, IReadOnlyList<Guid> Order)> rows)
    {
        var parents = rows.GroupBy(row => row.Parent, row => row.Order)
            .Select(parent => (Count: parent.Count(), W: KendallW.Of<Guid>([.. parent]))).Where(parent => parent.W is not null).ToList();
        return new(parents.Count == 0 ? null : parents.Average(parent => parent.W), parents.Count, parents.Sum(parent => parent.Count));
    }
}

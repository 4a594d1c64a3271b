using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Search;

/// <summary>Makes messages findable that came in without their words, such as imported ones.</summary>
internal sealed record IndexMessages
{
    public const string Kind = "feedback.index_messages";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(20);
}

internal sealed class IndexMessagesHandler(NpgsqlDataSource source) : IJobHandler<IndexMessages>
{
    private const int AtOnce = 1_000;

    // A vector has room for about a megabyte of words.
    private const string Index = """
        update feedback.message set search_vector = to_tsvector(feedback.words(lang), left(text, 100000))
        where id in (select id from feedback.message where search_vector is null order by id limit $1 for update skip locked)
        """;

    public async Task RunAsync(IndexMessages job, JobContext context, CancellationToken ct)
    {
        var done = 0L;
        int indexed;
        do
        {
            indexed = await source.ExecuteAsync(Statement.Of(Index, AtOnce), ct);
            context.Report(done += indexed);
        }
        while (indexed == AtOnce);
    }
}

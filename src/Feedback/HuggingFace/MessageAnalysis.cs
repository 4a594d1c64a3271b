using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.HuggingFace;

/// <summary>Asks for what a message still lacks: its toxicity, its vector.</summary>
internal sealed record AnalyzeMessage(Guid MessageId)
{
    public const string Kind = "feedback.analyze_message";

    /// <summary>A model that loads, or a limit that is reached, is a matter of minutes; a day of it is given up.</summary>
    public static readonly JobRules Rules = new()
    {
        MaxAttempts = 20, FirstWait = TimeSpan.FromSeconds(10),
        LongestWait = TimeSpan.FromMinutes(30), MaxRunning = 4, Priority = JobPriority.Low,
    };
}

/// <summary>Load, ask, save: no transaction is open while the model is asked, and a second run writes the same rows.</summary>
internal sealed class AnalyzeMessageHandler(NpgsqlDataSource source, HuggingFaceClient client, IOptions<HuggingFaceOptions> options)
    : IJobHandler<AnalyzeMessage>
{
    private const string Load = """
        select text,
          exists (select from feedback.message_toxicity where message_id = id and model = $2),
          exists (select from feedback.message_embedding where message_id = id and model = $3)
        from feedback.message where id = $1
        """;

    // The message may have been purged while the model was asked.
    private const string SaveToxicity = """
        insert into feedback.message_toxicity (message_id, model, score, label)
        select id, $2, $3, $4 from feedback.message where id = $1
        on conflict (message_id, model) do nothing
        """;

    private const string SaveEmbedding = """
        insert into feedback.message_embedding (message_id, model, embedding)
        select id, $2, $3 from feedback.message where id = $1
        on conflict (message_id, model) do nothing
        """;

    public async Task RunAsync(AnalyzeMessage job, JobContext context, CancellationToken ct)
    {
        try
        {
            await AnalyzeAsync(job.MessageId, ct);
        }
        catch (HuggingFaceException error) when (error.Wait is { } wait)
        {
            throw JobFailure.RetryAfter(wait, error.Message, error);
        }
        catch (HuggingFaceException error) when (error.Status is { } status && (int)status is 400 or 401 or 403 or 404 or 413 or 422)
        {
            throw JobFailure.Dead(error.Message, error);
        }
    }

    /// <summary>False when there is no such message.</summary>
    public async Task<bool> AnalyzeAsync(Guid messageId, CancellationToken ct)
    {
        if (await LoadAsync(messageId, ct) is not (var text, var hasToxicity, var hasEmbedding))
        {
            return false;
        }
        var terms = options.Value;
        if (terms.ChecksToxicity && !hasToxicity)
        {
            var first = await client.FirstToxicityAsync(text, ct);
            await source.ExecuteAsync(Statement.Of(SaveToxicity, messageId, terms.ToxicityModel, (float)first.Score, first.Label), ct);
        }
        if (terms.MakesEmbeddings && !hasEmbedding)
        {
            var vector = await client.EmbeddingAsync(text, ct);
            await source.ExecuteAsync(Statement.Of(SaveEmbedding, messageId, terms.EmbeddingModel, vector), ct);
        }
        return true;
    }

    private async Task<(string Text, bool HasToxicity, bool HasEmbedding)?> LoadAsync(Guid messageId, CancellationToken ct)
    {
        var rows = await source.ListAsync(
            Statement.Of(Load, messageId, options.Value.ToxicityModel, options.Value.EmbeddingModel),
            row => (row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)), ct);
        return rows is [var row] ? row : null;
    }
}

/// <summary>Looks for new messages that lack something and makes a job for each. Nothing of it is on the way of a contribution.</summary>
internal sealed record FindUnanalyzed
{
    public const string Kind = "feedback.find_unanalyzed";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
}

internal sealed class FindUnanalyzedHandler(
    NpgsqlDataSource source, JobQueue queue, TimeProvider time, IOptions<HuggingFaceOptions> options) : IJobHandler<FindUnanalyzed>
{
    /// <summary>Older ones are the command's: <c>stoa feedback update-attributes</c>.</summary>
    private static readonly TimeSpan Reach = TimeSpan.FromDays(1);

    private const int Most = 1_000;

    public async Task RunAsync(FindUnanalyzed job, JobContext context, CancellationToken ct)
    {
        if (!options.Value.ChecksToxicity && !options.Value.MakesEmbeddings)
        {
            return;
        }
        var found = await FindAsync(source, options.Value, time.GetUtcNow() - Reach, after: null, Most, ct);
        // A day long the key is taken, so a message whose model refuses it is not asked about each minute.
        var terms = found.Select(one => queue.Make(new AnalyzeMessage(one.Id), new() { UniqueKey = one.Id.ToString(), UniqueFor = Reach }));
        await queue.EnqueueAsync([.. terms], ct);
    }

    /// <summary>Messages that lack something, by date and id; those of seeds and imports as well.</summary>
    public static async Task<List<(DateTimeOffset Date, Guid Id)>> FindAsync(
        NpgsqlDataSource source, HuggingFaceOptions options, DateTimeOffset since,
        (DateTimeOffset Date, Guid Id)? after, int most, CancellationToken ct)
    {
        return await source.ListAsync(
            Statement.Of("""
                select id, created_date from feedback.message
                where created_date >= $1 and (created_date, id) > ($2, $3) and not deleted and (
                  ($4 and not exists (select from feedback.message_toxicity where message_id = message.id and model = $5))
                  or ($6 and not exists (select from feedback.message_embedding where message_id = message.id and model = $7)))
                order by created_date, id limit $8
                """,
                since, after?.Date ?? DateTimeOffset.MinValue, after?.Id ?? Guid.Empty, options.ChecksToxicity, options.ToxicityModel,
                options.MakesEmbeddings, options.EmbeddingModel, most),
            row => (row.GetFieldValue<DateTimeOffset>(1), row.GetGuid(0)), ct);
    }
}

using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Cortexes;

/// <summary>What another program has given for a process. Jobs carry its id: words of a user stay in tables that go with him.</summary>
internal sealed class GivenRow
{
    public long Id { get; init; }

    public required string UserId { get; init; }

    /// <summary>JSON.</summary>
    public required string Content { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

internal static class Given
{
    /// <summary>Null when it is there no more: what it was given for is long over.</summary>
    public static async Task<JsonElement?> FindAsync(AssistantsDb db, long id, CancellationToken ct) =>
        await db.Given.Where(row => row.Id == id).Select(row => row.Content).FirstOrDefaultAsync(ct) is { } content
            ? JsonElement.Parse(content) : null;
}

/// <summary>Processes are done within hours; what was given for them is nobody's business afterwards.</summary>
internal sealed record ForgetGiven
{
    public const string Kind = "assistants.forget_given";
}

internal sealed class ForgetGivenHandler(AssistantsDb db, TimeProvider time) : IJobHandler<ForgetGiven>
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(2);

    public Task RunAsync(ForgetGiven job, JobContext context, CancellationToken ct)
    {
        var before = time.GetUtcNow() - Kept;
        return db.Given.Where(row => row.CreatedAt < before).ExecuteDeleteAsync(ct);
    }
}

using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Feedback;

/// <summary>
/// The connections by which tasks are handed out and answered. They are few: a PostgreSQL process that has just worked still finds its plans and
/// pages in the processor's cache, and many that take turns do not, which costs a third more for the same work. Who finds none free waits.
/// Whoever holds one asks for no second.
/// </summary>
internal sealed class WorkConnections(Database database, IOptions<FeedbackOptions> options) : IAsyncDisposable
{
    private const int ForEachProcessor = 2, Fewest = 4;

    private readonly NpgsqlDataSource source = database.Open(
        options.Value.WorkConnections is var given and > 0 ? given : Math.Max(Fewest, ForEachProcessor * Environment.ProcessorCount));

    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken ct) => source.OpenConnectionAsync(ct);

    public ValueTask DisposeAsync() => source.DisposeAsync();
}

using Npgsql;

namespace Stoa.Feedback.Datasets;

/// <summary>Lets the tree manager look at trees that came in or changed in bulk: what they offer, and whether they go on.</summary>
internal sealed class TreeActivation
{
    /// <summary>In the transaction that is open on the connection.</summary>
    public Task SettleAsync(NpgsqlConnection connection, IReadOnlyList<Guid> trees, Guid clientId, CancellationToken ct) => Task.CompletedTask;
}

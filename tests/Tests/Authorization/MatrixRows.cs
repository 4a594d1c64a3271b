using Stoa.Gateway;
using Stoa.Gateway.Batches;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Authorization;

/// <summary>One row for each operation. A new route adds its own to the table of its module.</summary>
internal static class MatrixRows
{
    /// <summary>One that the matrix's host declares.</summary>
    public const string Schedule = "matrix.schedule";

    public static IReadOnlyDictionary<string, MatrixRow> All { get; } = new[]
    {
        PlatformRows.All, GatewayRows.All, AgentRows.All, FeedbackRows.All,
        LearningRows.All, LearningServiceRows.All, ThinkingRows.All, EventRows.All,
        WorkRows.All, DocumentRows.All,
    }
        .SelectMany(rows => rows).ToDictionary(row => row.Key, row => row.Value, StringComparer.Ordinal);

    public static MatrixRow.Make Always(params string[] values) => (_, _, _) => Task.FromResult(values);

    public static MatrixRow.Make BatchOf(BatchKind kind) => async (world, owner, ct) =>
    {
        var key = new ApiKey(Guid.Empty, owner.OrganizationId!.Value, "test", "", default, IsAdmin: true, null, null, null, null, null);
        return
        [
            await world.WithAsync<BatchStore, string>(async batches =>
            {
                var made = batches.Make(kind, key, "/v1/chat/completions");
                await batches.AddAsync(made with { Status = BatchStatus.Completed, EndedAt = made.CreatedAt }, [], ct);
                return made.Id;
            }),
        ];
    };

    public static Task AddAsync(MatrixWorld world, object row, CancellationToken ct) => world.WithAsync<GatewayDb>(db =>
    {
        db.Add(row);
        return db.SaveChangesAsync(ct);
    });

    public static Task<string[]> OrganizationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        Task.FromResult<string[]>([owner.OrganizationId!.Value.ToString()]);

    public static async Task<string[]> KeyAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var key = await world.KeyAsync(owner.OrganizationId!.Value, isAdmin: false, ct);
        return [key.Row.Id.ToString()];
    }

    public static async Task<string[]> MemberAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var person = await world.MemberAsync(owner.OrganizationId!.Value, MemberRole.Member, ct);
        return [person.Id.ToString()];
    }
}

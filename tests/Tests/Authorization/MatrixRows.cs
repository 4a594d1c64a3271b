using Stoa.Platform.Http;

namespace Stoa.Tests.Authorization;

/// <summary>What the matrix must know of one operation beyond its document.</summary>
/// <param name="Rule">Who it is for, once more: whoever changes a route's rule says so here too.</param>
/// <param name="Object">Makes a fresh object of the given caller for the parameters of the path.</param>
/// <param name="Body"><c>{unique}</c> becomes a word that was not used before.</param>
internal sealed record MatrixRow(string Rule, MatrixRow.Make? Object = null, string? Body = null)
{
    public delegate Task<string[]> Make(MatrixWorld world, MatrixCaller owner, CancellationToken ct);

    /// <summary>The objects belong to nobody: a stranger may have them too.</summary>
    public bool IsShared { get; init; }
}

/// <summary>One row for each operation. A new route adds its own.</summary>
internal static class MatrixRows
{
    private const string Chat = """{"model":"demo/demo","messages":[{"role":"user","content":"Hello"}],"max_tokens":16}""";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["GET /healthz"] = new(AccessRule.Anyone),
        ["GET /readyz"] = new(AccessRule.Anyone),
        ["GET /openapi/{surface}.json"] = new(AccessRule.Anyone, Always("stoa")) { IsShared = true },

        ["POST /v1/chat/completions"] = new(AccessRule.Key, Body: Chat),
        ["POST /v1/embeddings"] = new(AccessRule.Key, Body: """{"model":"demo/demo","input":"Hello"}"""),
        ["GET /v1/models"] = new(AccessRule.Key),
        ["GET /v1/models/{id}"] = new(AccessRule.Key, Always("demo/demo")) { IsShared = true },
        ["POST /v1/messages"] = new(AccessRule.Key, Body: Chat),
        ["POST /v1/messages/count_tokens"] = new(AccessRule.Key, Body: Chat),

        ["GET /api/stoa/keys"] = new(AccessRule.Admin),
        ["POST /api/stoa/keys"] = new(AccessRule.Admin, Body: """{"name":"{unique}"}"""),
        ["GET /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["DELETE /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["POST /api/stoa/keys/{id}/rotate"] = new(AccessRule.Admin, KeyAsync, """{"overlap_minutes":5}"""),
        ["GET /api/stoa/usage"] = new(AccessRule.Viewer),
        ["GET /api/stoa/usage/calls"] = new(AccessRule.Viewer),
        ["GET /api/stoa/prices"] = new(AccessRule.Viewer),
        ["POST /api/stoa/prices"] = new(AccessRule.Operator, Body: """{"provider":"openai","model":"{unique}","input":1,"output":2}"""),
    };

    private static MatrixRow.Make Always(params string[] values) => (_, _, _) => Task.FromResult(values);

    private static async Task<string[]> KeyAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var key = await world.KeyAsync(owner.OrganizationId!.Value, isAdmin: false, ct);
        return [key.Row.Id.ToString()];
    }
}

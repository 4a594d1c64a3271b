using System.Text;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Files;
using Stoa.Gateway.Responses;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Http;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>The Gateway's routes for clients of models, and its own figures.</summary>
internal static class GatewayRows
{
    private const string Chat = """{"model":"demo/demo","messages":[{"role":"user","content":"Hello"}],"max_tokens":16}""";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["POST /v1/chat/completions"] = new(AccessRule.Key, Body: Chat),
        ["POST /v1/embeddings"] = new(AccessRule.Key, Body: """{"model":"demo/demo","input":"Hello"}"""),
        ["GET /v1/models"] = new(AccessRule.Key),
        ["GET /v1/models/{id}"] = new(AccessRule.Key, Always("demo/demo")) { Whose = Whose.Everybodys },
        ["DELETE /v1/models/{id}"] = new(AccessRule.Key, Always("demo/demo")) { Whose = Whose.Everybodys, Answers = [403] },
        ["POST /v1/messages"] = new(AccessRule.Key, Body: Chat),
        ["POST /v1/messages/count_tokens"] = new(AccessRule.Key, Body: Chat),

        ["POST /v1/responses"] = new(AccessRule.Key, Body: """{"model":"demo/demo","input":"Hello"}"""),
        ["GET /v1/responses/{id}"] = new(AccessRule.Key, ResponseAsync),
        ["DELETE /v1/responses/{id}"] = new(AccessRule.Key, ResponseAsync),
        ["POST /v1/responses/{id}/cancel"] = new(AccessRule.Key, ResponseAsync),
        ["GET /v1/responses/{id}/input_items"] = new(AccessRule.Key, ResponseAsync),
        ["POST /v1/completions"] = new(AccessRule.Key, Body: Chat) { Answers = [404] },
        ["POST /v1/moderations"] = new(AccessRule.Key, Body: Chat) { Answers = [404] },
        ["POST /v1/images/generations"] = new(AccessRule.Key, Body: Chat) { Answers = [404] },
        ["POST /v1/audio/speech"] = new(AccessRule.Key, Body: Chat) { Answers = [404] },
        // Its body is a form.
        ["POST /v1/audio/transcriptions"] = new(AccessRule.Key, Body: "{}") { Answers = [415] },
        ["POST /v1/files"] = new(AccessRule.Key, Body: "{}") { Answers = [415] },
        ["GET /v1/files"] = new(AccessRule.Key),
        ["GET /v1/files/{id}"] = new(AccessRule.Key, FileAsync),
        ["GET /v1/files/{id}/content"] = new(AccessRule.Key, FileAsync),
        ["DELETE /v1/files/{id}"] = new(AccessRule.Key, FileAsync),
        ["POST /v1/batches"] =
            new(AccessRule.Key, FileAsync, """{"input_file_id":"{0}","endpoint":"/v1/chat/completions","completion_window":"24h"}"""),
        ["GET /v1/batches"] = new(AccessRule.Key),
        ["GET /v1/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.OpenAi)),
        ["POST /v1/batches/{id}/cancel"] = new(AccessRule.Key, BatchOf(BatchKind.OpenAi)),
        ["POST /v1/messages/batches"] = new(AccessRule.Key, Body: """{"requests":[{"custom_id":"a","params":{"model":"demo/demo"}}]}"""),
        ["GET /v1/messages/batches"] = new(AccessRule.Key),
        ["GET /v1/messages/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["GET /v1/messages/batches/{id}/results"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["POST /v1/messages/batches/{id}/cancel"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["DELETE /v1/messages/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["GET /healthcheck"] = new(AccessRule.Anyone),
        ["GET /ready"] = new(AccessRule.Anyone),
        ["GET /image/{organization_id}/{name}"] =
            new(AccessRule.Anyone, Always(Guid.Empty.ToString(), "none.png")) { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/stoa/usage"] = new(AccessRule.Viewer),
        ["GET /api/stoa/usage/calls"] = new(AccessRule.Viewer),
        ["GET /api/stoa/prices"] = new(AccessRule.Viewer),
        ["POST /api/stoa/prices"] = new(AccessRule.Operator, Body: """{"provider":"openai","model":"{unique}","input":1,"output":2}"""),
        ["GET /api/stoa/budgets"] = new(AccessRule.Admin),
        ["PUT /api/stoa/budgets/organization"] = new(AccessRule.Admin, Body: """{"amount":1000000}"""),
        ["DELETE /api/stoa/budgets/organization"] = new(AccessRule.Admin),
        ["PUT /api/stoa/budgets/keys/{id}"] = new(AccessRule.Admin, KeyAsync, """{"amount":1000000,"period":"weekly"}"""),
        ["DELETE /api/stoa/budgets/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["GET /api/stoa/secrets"] = new(AccessRule.Admin),
        ["PUT /api/stoa/secrets/{name}"] = new(AccessRule.Admin, Always("crm"), """{"value":"s3cr3t"}""") { Whose = Whose.Everybodys },
        ["DELETE /api/stoa/secrets/{name}"] = new(AccessRule.Admin, SecretAsync),
        ["GET /api/stoa/queue"] = new(AccessRule.Operator),
        ["POST /api/stoa/queue/replay"] = new(AccessRule.Operator, Body: """{"limit":1}"""),
    };

    private static async Task<string[]> ResponseAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var id = world.Unique("resp_");
        await world.WithAsync<ResponseStore>(responses => responses.AddAsync(
            new(owner.OrganizationId!.Value, id, "completed", "demo", IsUpstream: false,
                Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","status":"completed","background":true,"output":[]}"""), "[]"u8.ToArray()), ct));
        return [id];
    }

    private static async Task<string[]> FileAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var organization = owner.OrganizationId!.Value;
        return await world.WithAsync<FileStore, string[]>(async files =>
        {
            var id = files.NewId();
            using var content = new MemoryStream([(byte)'x']);
            var bytes = await files.WriteAsync(organization, id, content, FileStore.MaxBytes, ct);
            await files.AddAsync(organization, id, "file", "batch", bytes, lifetime: null, ct);
            return [id];
        });
    }

    private static async Task<string[]> SecretAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var name = world.Unique("crm-");
        await world.WithAsync<SecretVault, SecretName>(vault => vault.SetAsync(owner.OrganizationId!.Value, name, "s3cr3t", ct));
        return [name];
    }
}

using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Trials;

/// <summary>A case as it is run: stored, or sent with the request.</summary>
internal sealed record Trial(string? Id, JsonObject Case);

/// <summary>Runs a version of an agent on test cases and says how well it did.</summary>
internal sealed class TestCaseRuns(
    AgentRunner runner, AgentConfigurations agents, SideRuns side,
    BuiltInAgents judges, IDbContextFactory<GatewayDb> dbs, NpgsqlDataSource database,
    EditorPushes pages, TimeProvider time)
{
    private const int Parallel = 5;
    private const int MaxCases = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task<JsonObject> RunAsync(Guid organizationId, RunCaller caller, JsonObject body, string requestId, CancellationToken ct)
    {
        var versionId = body.Name("version_id") ?? throw Failure.Invalid("version_id is required", code: "version_missing");
        var agent = await agents.FindAsync(
            organizationId, body.Name("bridge_id") ?? body.Name("agent_id"), versionId, environment: null, ct);
        if (caller.FolderId is { } folder && agent.FolderId != folder)
        {
            throw ConfigurationFailures.AgentMissing();
        }
        agent.RequireKey();
        var direct = body.Object("testcase_data");
        var trials = direct is not null ? [new(Id: null, direct)]
            : await FindAsync(organizationId, agent.AgentId, body.Name("testcase_id"), ct);
        if (trials.Count == 0)
        {
            return new() { ["success"] = false, ["message"] = "No test cases found", ["results"] = new JsonArray() };
        }
        var results = new JsonObject[trials.Count];
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, trials.Count), new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct },
            async (number, ct) =>
            {
                results[number] = await RunAsync(organizationId, caller, agent, trials[number], requestId, ct);
                await pages.TestedAsync(organizationId, caller.OrgId, agent.AgentId, agent.VersionId, results[number], ct);
            });
        await KeepAsync(organizationId, agent, trials, results, ct);
        return new()
        {
            ["success"] = true,
            ["bridge_id"] = agent.AgentId,
            ["version_id"] = agent.VersionId,
            ["total_testcases"] = trials.Count,
            ["testcase_source"] = direct is not null ? "direct" : "mongodb",
            ["results"] = new JsonArray([.. results]),
        };
    }

    private async Task<List<Trial>> FindAsync(Guid organizationId, string agentId, string? id, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        var cases = await db.TestCases.AsNoTracking()
            .Where(one => one.OrganizationId == organizationId && one.AgentId == agentId && (id == null || one.Id == id))
            .OrderBy(one => one.Id).Take(MaxCases).ToListAsync(ct);
        return [.. cases.Select(one => new Trial(one.Id, one.Document))];
    }

    private async Task<JsonObject> RunAsync(
        Guid organizationId, RunCaller caller, AgentConfiguration agent, Trial trial, string requestId, CancellationToken ct)
    {
        var expected = trial.Case.Object("expected");
        var matching = trial.Case.Name("matching_type") ?? "cosine";
        var outcome = new JsonObject
        {
            ["testcase_id"] = trial.Id,
            ["bridge_id"] = agent.AgentId,
            ["expected"] = expected?.DeepClone(),
            ["matching_type"] = matching,
        };
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var result = await runner.RunAsync(
                new()
                {
                    OrganizationId = organizationId,
                    Caller = caller,
                    Body = BodyOf(trial.Case),
                    AgentId = agent.AgentId,
                    VersionId = agent.VersionId,
                    MessageId = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
                    RequestId = requestId,
                    TestCaseId = trial.Id ?? "direct",
                },
                NoSink.Instance, either.Token);
            if (!result.IsSuccess)
            {
                return Failed(outcome, result.Response.Text("error") ?? result.Content);
            }
            var isFunction = trial.Case.Text("type") == "function";
            outcome["actual_result"] = isFunction ? result.ToolCalls.DeepClone() : result.Content;
            outcome["score"] = isFunction
                ? TestScore.OfCalls(expected, result.ToolCalls)
                : await ScoreAsync(organizationId, agent, matching, expected, result.Content, requestId, either.Token);
            outcome["success"] = true;
            return outcome;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed(outcome, "The test case took too long");
        }
        catch (Failure failure)
        {
            return Failed(outcome, failure.Message);
        }
    }

    private async Task<double> ScoreAsync(
        Guid organizationId, AgentConfiguration agent, string matching,
        JsonObject? expected, string actual, string requestId, CancellationToken ct)
    {
        var wanted = expected?["response"].AsWords() ?? "";
        if (matching != "ai")
        {
            return matching == "exact" ? (wanted == actual ? 1 : 0) : TextSimilarity.Cosine(wanted, actual);
        }
        var run = await side.OpenAsync(organizationId, agent.AgentId, agent.VersionId, new() { ["user"] = actual }, requestId, ct)
            ?? throw ConfigurationFailures.AgentMissing();
        var verdict = await judges.AskForObjectAsync(run, BuiltInAgents.ComparePrompt, $"Expected: {wanted}\n\nAnswer: {actual}", ct);
        return verdict?["score"].AsNumber() is { } score ? Math.Clamp(score, 0, 1)
            : throw new Failure(FailureKind.Upstream, "no_score", "The comparing model gave no score");
    }

    private static JsonObject BodyOf(JsonObject trial)
    {
        var conversation = trial.List("conversation").Objects().ToList();
        var last = conversation.FindLastIndex(message => message.Text("role") is "user" or null);
        return new()
        {
            ["user"] = last < 0 ? "" : conversation[last]["content"].AsWords(),
            ["configuration"] = new JsonObject
            {
                ["conversation"] = new JsonArray([.. conversation.Take(Math.Max(0, last)).Select(message => message.DeepClone())]),
            },
            ["variables"] = trial.Object("variables")?.DeepClone(),
            ["user_urls"] = trial.List("user_urls")?.DeepClone(),
        };
    }

    private static JsonObject Failed(JsonObject outcome, string error)
    {
        outcome["actual_result"] = null;
        outcome["score"] = 0;
        outcome["success"] = false;
        outcome["error"] = error;
        return outcome;
    }

    private async Task KeepAsync(
        Guid organizationId, AgentConfiguration agent, List<Trial> trials, JsonObject[] results, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var batch = database.CreateBatch();
        for (var at = 0; at < trials.Count; at++)
        {
            batch.BatchCommands.Add(new("""
                insert into gateway.test_results (id, organization_id, agent_id, version_id, test_case_id, document, created_at)
                values ($1, $2, $3, $4, $5, $6, $7)
                """)
            {
                Parameters =
                {
                    new() { Value = Guid.CreateVersion7(now) }, new() { Value = organizationId }, new() { Value = agent.AgentId },
                    new() { Value = agent.VersionId },
                    new() { Value = trials[at].Id ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                    new() { Value = StoredText.Json(results[at]), NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = now },
                },
            });
        }
        batch.BatchCommands.Add(new("""
            update gateway.test_cases
              set document = document || jsonb_build_object('execution', jsonb_build_object('lastExecutedAt', $3::text))
            where organization_id = $1 and id = any ($2)
            """)
        {
            Parameters =
            {
                new() { Value = organizationId }, new() { Value = trials.Select(trial => trial.Id).OfType<string>().ToArray() },
                new() { Value = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture) },
            },
        });
        await batch.ExecuteNonQueryAsync(ct);
    }
}

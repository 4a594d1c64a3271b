using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.History;
using Stoa.Platform.Http;

namespace Stoa.Gateway.TestCases;

/// <summary>The conversations that an agent is tried with.</summary>
internal static class TestCasesApi
{
    private const int MaxLimit = 100;

    /// <summary>As many exchanges as a model is shown of a thread.</summary>
    private const int MostBefore = 50;

    public static void MapTestCases(this IEndpointRouteBuilder routes)
    {
        // The wire calls the id of a case agent_id, too.
        var cases = routes.MapGroup("/api/testcases").WithTags("Test cases");
        cases.MapPost("/create", CreateAsync).RequireGtwyEditor().WithSummary("Make a test case");
        cases.MapGet("/{agent_id}", ListAsync).WithSummary("List an agent's test cases");
        cases.MapPut("/{agent_id}", UpdateAsync).RequireGtwyEditor().WithSummary("Change a test case");
        cases.MapDelete("/{agent_id}", DeleteOneAsync).RequireGtwyEditor().WithSummary("Delete a test case");
        cases.MapDelete("", DeleteManyAsync).RequireGtwyEditor().WithSummary("Delete test cases");
        cases.MapDelete("/agent/{agent_id}", DeleteAllAsync).RequireGtwyEditor().WithSummary("Delete all test cases of an agent");
    }

    internal static async Task<Ok<CaseMade>> CreateAsync(
        TestCaseTerms terms, GtwyCaller caller, GatewayDb db, RunHistory history, TimeProvider time, CancellationToken ct)
    {
        caller.RequireEditor();
        Failure.ThrowIfAny(terms.Check(isNew: true));
        await db.RequireAgentAsync(caller, terms.BridgeId!, ct);
        if (terms is { MessageId: { } message, Conversation: null or [] })
        {
            terms = await OfMessageAsync(terms, message, caller, history, ct);
        }
        var made = new TestCase
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            AgentId = terms.BridgeId!,
            Name = terms.Name ?? "",
            Document = terms.Over([]),
            CreatedAt = time.GetUtcNow(),
        };
        db.Add(made);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new CaseMade(Success: true, new() { ["_id"] = made.Id, ["message"] = "Testcase created successfully" }));
    }

    /// <summary>What was said in the conversation up to that message, with what the message brought along.</summary>
    private static async Task<TestCaseTerms> OfMessageAsync(
        TestCaseTerms terms, string messageId, GtwyCaller caller, RunHistory history, CancellationToken ct)
    {
        var run = await history.FindAsync(caller.OrganizationId, messageId, ct);
        if (run is null || run.AgentId != terms.BridgeId)
        {
            throw Failure.Invalid("message_id names no message of this agent", "message_id");
        }
        var before = await history.Of(caller.OrganizationId, run.AgentId)
            .Where(one => one.ThreadId == run.ThreadId && one.SubThreadId == run.SubThreadId && one.CreatedAt < run.CreatedAt)
            .OrderByDescending(one => one.CreatedAt).ThenByDescending(one => one.Number).Take(MostBefore)
            .Select(one => new { one.UserMessage, one.Answer, one.IsSuccess, one.FinishReason }).ToListAsync(ct);
        var conversation = new JsonArray();
        // Where the chat was begun anew, the models no longer saw what was before.
        foreach (var one in before.TakeWhile(one => one.FinishReason != "reset").Reverse()
            .Where(one => one is { IsSuccess: true, UserMessage: not null, Answer: not null }))
        {
            conversation.Add((JsonNode)Said("user", one.UserMessage));
            conversation.Add((JsonNode)Said("assistant", one.Answer));
        }
        conversation.Add((JsonNode)Said("user", run.UserMessage));
        return terms with
        {
            Conversation = conversation,
            Variables = terms.Variables ?? (run.Document["variables"] as JsonObject)?.DeepClone().AsObject(),
            // What came inside the request was not kept.
            UserUrls = terms.UserUrls ?? (run.Document["user_urls"] is JsonArray urls
                ? [.. urls.OfType<JsonObject>().Where(url => url["url"] is JsonValue at
                    && at.TryGetValue<string>(out var text) && text.Contains(':', StringComparison.Ordinal))
                    .Select(url => url.DeepClone())]
                : null),
        };
    }

    private static JsonObject Said(string role, string? content) => new() { ["role"] = role, ["content"] = content ?? "" };

    internal static async Task<Ok<CaseList>> ListAsync(
        [FromRoute(Name = "agent_id")] string agentId, GtwyCaller caller, GatewayDb db, CancellationToken ct, int page = 1, int limit = 30,
        string? keyword = null)
    {
        if (page is < 1 or > 1_000_000 || limit is < 1 or > MaxLimit)
        {
            throw Failure.Invalid($"page must be 1 or more and limit between 1 and {MaxLimit}", "limit");
        }
        await db.RequireAgentAsync(caller, agentId, ct);
        var word = QueryValues.Text(keyword, "keyword")?.Trim();
        var own = db.Cases(caller)
            .Where(test => test.AgentId == agentId && (string.IsNullOrEmpty(word) || EF.Functions.ILike(test.Name, Containing(word), "!")));
        var total = await own.CountAsync(ct);
        var rows = await own.AsNoTracking().OrderByDescending(test => test.Id).Skip((page - 1) * limit).Take(limit).ToListAsync(ct);
        return TypedResults.Ok(new CaseList(Success: true, rows.ConvertAll(View), total, page, limit));
    }

    internal static async Task<Results<Ok<CaseChanged>, NotFound<CasesMissing>>> UpdateAsync(
        [FromRoute(Name = "agent_id")] string id, TestCaseTerms terms, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        caller.RequireEditor();
        Failure.ThrowIfAny(terms.Check(isNew: false));
        if (await db.Cases(caller).FirstOrDefaultAsync(test => test.Id == id, ct) is not { } test)
        {
            return TypedResults.NotFound(CasesMissing.Instance);
        }
        test.Name = terms.Name ?? test.Name;
        test.Document = terms.Over(test.Document.DeepClone().AsObject());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new CaseChanged(Success: true, View(test)));
    }

    internal static Task<Results<Ok<CasesGone>, NotFound<CasesMissing>>> DeleteOneAsync(
        [FromRoute(Name = "agent_id")] string id, GtwyCaller caller, GatewayDb db,
        CancellationToken ct) => DeleteAsync(caller, db.Cases(caller).Where(test => test.Id == id), ct);

    internal static Task<Results<Ok<CasesGone>, NotFound<CasesMissing>>> DeleteManyAsync(
        [FromBody] CaseChoice choice, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        var ids = choice.TestCaseIds ?? throw Failure.Invalid("testCaseIds must be a list of ids", "testCaseIds");
        return DeleteAsync(caller, db.Cases(caller).Where(test => ids.Contains(test.Id)), ct);
    }

    internal static Task<Results<Ok<CasesGone>, NotFound<CasesMissing>>> DeleteAllAsync(
        [FromRoute(Name = "agent_id")] string agentId, GtwyCaller caller, GatewayDb db, CancellationToken ct) =>
        DeleteAsync(caller, db.Cases(caller).Where(test => test.AgentId == agentId), ct);

    private static async Task<Results<Ok<CasesGone>, NotFound<CasesMissing>>> DeleteAsync(
        GtwyCaller caller, IQueryable<TestCase> which, CancellationToken ct)
    {
        caller.RequireEditor();
        var count = await which.ExecuteDeleteAsync(ct);
        return count > 0
            ? TypedResults.Ok(
                new CasesGone(Success: true, count == 1 ? "Testcase deleted successfully" : "Testcases deleted successfully", count))
            : TypedResults.NotFound(CasesMissing.Instance);
    }

    private static IQueryable<TestCase> Cases(this GatewayDb db, GtwyCaller caller) =>
        db.TestCases.Where(test => test.OrganizationId == caller.OrganizationId
            && (caller.FolderId == null || db.AgentsOf(caller).Any(agent => agent.Id == test.AgentId)));

    private static string Containing(string word) =>
        $"%{word.Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)}%";

    private static JsonObject View(TestCase test)
    {
        var view = test.Document.DeepClone().AsObject();
        view["_id"] = test.Id;
        view["bridge_id"] = test.AgentId;
        view["name"] = test.Name;
        return view;
    }

    internal sealed record CaseMade(bool Success, JsonObject Data);

    internal sealed record CaseList(bool Success, IReadOnlyList<JsonObject> Data, int Total, int Page, int Limit);

    internal sealed record CaseChanged(bool Success, JsonObject Result);

    internal sealed record CasesGone(bool Success, string Message, [property: JsonPropertyName("deletedCount")] int DeletedCount);

    internal sealed record CasesMissing(bool Success, string Error)
    {
        public static readonly CasesMissing Instance = new(Success: false, "Testcase(s) not found");
    }

    internal sealed record CaseChoice([property: JsonPropertyName("testCaseIds")] IReadOnlyList<string>? TestCaseIds);

    /// <param name="Type">What is compared: the text of the <c>response</c>, or the <c>function</c> that was called.</param>
    /// <param name="MessageId">Where no conversation is given: the one that led to this message of the agent's history is taken.</param>
    /// <param name="MatchingType"><c>exact</c>, <c>cosine</c>, or <c>ai</c> for a model's judgement.</param>
    internal sealed record TestCaseTerms(
        string? BridgeId, string? Type, JsonObject? Expected, string? MatchingType,
        string? Name, JsonArray? Conversation, JsonObject? Variables,
        JsonArray? UserUrls, string? MessageId = null)
    {
        private const int MaxName = 200;

        public IEnumerable<FieldError> Check(bool isNew)
        {
            if (isNew && !HexId.IsOne(BridgeId))
            {
                yield return new("bridge_id", "bridge_id must be the id of an agent");
            }
            if (Type is not ("function" or "response") && (isNew || Type is not null))
            {
                yield return new("type", "type must be function or response");
            }
            if (isNew && Expected is null)
            {
                yield return new("expected", "expected must be an object");
            }
            if (MatchingType is not ("exact" or "cosine" or "ai") && (isNew || MatchingType is not null))
            {
                yield return new("matching_type", "matching_type must be exact, cosine or ai");
            }
            if (MessageId is { } message && !Runs.Conversations.ThreadKey.IsName(message))
            {
                yield return new("message_id", "message_id must be the id of a message");
            }
            if (Name?.Length > MaxName || Name?.Contains('\0', StringComparison.Ordinal) == true)
            {
                yield return new("name", $"name must have at most {MaxName} characters");
            }
        }

        /// <summary>What was given, written over what is there.</summary>
        public JsonObject Over(JsonObject document)
        {
            foreach (var (name, value) in ((string, JsonNode?)[])[
                ("type", Type), ("expected", Expected), ("matching_type", MatchingType),
                ("conversation", Conversation), ("variables", Variables),
                ("user_urls", UserUrls)])
            {
                if (value is not null)
                {
                    document[name] = value.DeepClone();
                }
            }
            return document;
        }
    }
}

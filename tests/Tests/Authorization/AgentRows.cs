using System.Text.Json.Nodes;
using Stoa.Gateway;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Folders;
using Stoa.Gateway.History;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.TestCases;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>The routes of GTWY's wire.</summary>
internal static class AgentRows
{
    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["POST /api/metrics"] = new("gtwy_caller", Body: """{"range":1,"factor":"model"}"""),
        ["POST /api/metrics/agent"] = new("gtwy_caller", Body: "{}"),
        // Of an agent that is not the caller's there is no history, and so nothing in the answer.
        ["GET /api/analytics/agent/{bridge_id}"] = new("gtwy_caller", AgentAsync) { Whose = Whose.Everybodys },
        ["GET /api/analytics/agent/{bridge_id}/filters"] = new("gtwy_caller", AgentAsync) { Whose = Whose.Everybodys },

        ["GET /api/agent"] = new("gtwy_caller"),
        ["POST /api/agent"] = new("gtwy_editor", Body: """{"name":"{unique}"}"""),
        // He may copy his own agent, but to nowhere else.
        ["POST /api/agent/clone"] =
            new("gtwy_editor", AgentAsync, """{"agent_id":"{0}","to_shift_org_id":"nowhere"}""") { Answers = [403] },
        ["GET /api/agent/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["PUT /api/agent/{agent_id}"] = new("gtwy_editor", AgentAsync, """{"name":"{unique}"}"""),
        ["DELETE /api/agent/{agent_id}"] = new("gtwy_editor", AgentAsync),
        ["POST /api/versions"] = new("gtwy_editor", VersionAsync, """{"version_id":"{0}"}"""),
        ["POST /api/versions/bulk_publish"] = new("gtwy_editor", Body: """{"version_ids":["0123456789abcdef01234567"]}"""),
        ["GET /api/versions/connected-agents/{version_id}"] = new("gtwy_caller", VersionAsync),
        ["GET /api/versions/diff"] = new("gtwy_caller") { Answers = [400] },
        ["POST /api/versions/discard/{version_id}"] = new("gtwy_editor", VersionAsync, """{"bridge_id":"{1}"}"""),
        ["POST /api/versions/publish/{version_id}"] = new("gtwy_editor", VersionAsync),
        ["GET /api/versions/suggest-model/{version_id}"] = new("gtwy_caller", VersionAsync) { Answers = [400] },
        ["GET /api/versions/{version_id}"] = new("gtwy_caller", VersionAsync),
        ["PUT /api/versions/{version_id}"] = new("gtwy_editor", VersionAsync, """{"gpt_memory":false}"""),
        ["DELETE /api/versions/{version_id}"] = new("gtwy_editor", VersionAsync),
        ["POST /api/apikeys"] = new("gtwy_editor", Body: """{"name":"{unique}","apikey":"sk-of-nothing","service":"demo"}"""),
        ["GET /api/apikeys"] = new("gtwy_caller"),
        ["DELETE /api/apikeys"] = new("gtwy_editor", ProviderKeyAsync, """{"apikey_object_id":"{0}"}"""),
        ["PUT /api/apikeys/{apikey_id}"] = new("gtwy_editor", ProviderKeyAsync, """{"name":"{unique}"}"""),
        ["GET /api/apikeys/{apikey_id}"] = new("gtwy_caller", AgentAsync),
        ["POST /api/v2/model/chat/completion"] = new(
            "gtwy_caller", Body: """{"user":"Hi","service":"demo","configuration":{"model":"demo"}}"""),
        ["POST /api/v2/model/playground/chat/completion/{bridge_id}"] = new(
            "gtwy_caller", DraftAsync,
            """{"user":"Hi","flag":true,"version_id":"{1}","service":"demo","configuration":{"model":"demo"}}""") { Missing = 400 },
        ["POST /api/v2/model/testcases"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["POST /api/tools/{id}/test"] = new("gtwy_editor", FunctionAsync, """{"args":{}}"""),
        ["GET /api/tools"] = new("gtwy_caller"),
        ["POST /api/tools"] = new("gtwy_editor", Body: """{"id":"{unique}","title":"t","desc":"d","status":"published"}"""),
        ["DELETE /api/tools"] = new("gtwy_editor", ScriptAsync, """{"script_id":"{0}"}"""),
        ["GET /api/tools/agents-versions-by-functions"] = new("gtwy_caller"),
        ["GET /api/tools/inbuilt"] = new("gtwy_caller"),
        ["PUT /api/tools/pre_tool/{agent_id}"] = new("gtwy_editor", AgentAsync, """{"pre_tools":{"type":"query_refiner"},"status":"1"}"""),
        ["PUT /api/tools/{function_id}"] = new("gtwy_editor", FunctionAsync, """{"dataToSend":{"description":"x"}}"""),
        ["POST /api/folder"] = new("gtwy_editor", Body: """{"name":"{unique}"}"""),
        ["GET /api/folder"] = new("gtwy_caller"),
        ["PUT /api/folder"] = new("gtwy_editor", FolderAsync, """{"folder_id":"{0}","name":"{unique}"}"""),
        ["DELETE /api/folder/{folder_id}"] = new("gtwy_editor", FolderAsync),
        ["GET /api/service"] = new("gtwy_caller"),
        ["GET /api/service/{service}"] = new("gtwy_caller", Always("demo")) { Whose = Whose.Everybodys },
        ["POST /api/models"] = new(
            "gtwy_editor",
            Body: """{"service":"demo","model_name":"{unique}","status":1,"configuration":{"model":{}},"outputConfig":{},"validationConfig":{}}"""),
        ["DELETE /api/models"] = new("gtwy_editor") { Answers = [404] },
        ["PATCH /api/utils/models/status"] = new("gtwy_operator", Body: """{"service":"demo","model_name":"demo","status":1}"""),
        ["POST /api/utils/models/bulk-update"] = new("gtwy_operator", Body: """{"models":[],"change":{}}"""),
        ["GET /api/utils/models/status/{status}"] = new("gtwy_caller", Always("1")) { Whose = Whose.Everybodys },
        ["GET /api/utils/getBridgesAndVersions/{modelName}"] = new("gtwy_caller", Always("demo")) { Whose = Whose.Everybodys },
        ["GET /api/history/{agent_id}"] = new("gtwy_caller", RunAsync),
        ["GET /api/history/{agent_id}/{thread_id}/{sub_thread_id}"] = new("gtwy_caller", RunAsync),
        ["GET /api/history/recursive/{agent_id}/{thread_id}/{message_id}"] = new("gtwy_caller", RunAsync),
        ["POST /api/report/message-data"] = new("gtwy_caller", MessageAsync, """{"message_id":"{0}"}"""),
        ["GET /api/history/message/testcase/history/message_id/{message_id}"] = new("gtwy_caller", MessageAsync),
        ["POST /api/v2/model/batch/chat/completion"] = new(
            "gtwy_caller",
            Body: """{"service":"demo","configuration":{"model":"demo"},"batch":["Hi"],"webhook":{"url":"https://receiver.invalid/"}}"""),
        ["GET /api/batch"] = new("gtwy_caller"),
        ["GET /api/batch/status/{batch_id}"] = new("gtwy_caller", BatchOf(BatchKind.Gtwy)),
        ["POST /api/batch/cancel/{batch_id}"] = new("gtwy_caller", BatchOf(BatchKind.Gtwy)),
        ["GET /api/batch/history/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["GET /api/batch/history/count/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["GET /api/v1/config/threads/{thread_id}/{bridge_id}"] = new("gtwy_caller", ThreadAsync),
        ["GET /api/v1/config/get-message-history/{thread_id}/{bridge_id}"] = new("gtwy_caller", ThreadAsync),
        ["POST /api/v1/config/threads/{thread_id}/{bridge_id}"] = new("gtwy_editor", ThreadAsync, """{"message":"m"}"""),
        ["POST /api/v1/config/threads/{thread_id}/{sub_thread_id}/{bridge_id}"] = new("gtwy_editor", SubThreadAsync, """{"message":"m"}"""),
        ["GET /api/v1/config/history/sub-thread/{thread_id}"] =
            new("gtwy_caller", Always("talk")) { Whose = Whose.Everybodys, Answers = [400] },
        ["POST /api/v1/config/getFineTuneData/{bridge_id}"] = new("gtwy_caller", AgentAsync, """{"thread_ids":["talk"]}"""),
        ["PUT /api/v1/config/gethistory/{bridge_id}"] = new("gtwy_editor", NumberAsync, """{"message":"m","id":{1}}"""),
        ["PUT /api/v1/config/status/{status}"] = new("gtwy_caller", MarkAsync, """{"message_id":"{1}"}"""),
        ["GET /api/v1/config/getuserupdates/{version_id}"] = new("gtwy_caller", Always("none")) { Whose = Whose.Everybodys },
        ["POST /api/testcases/create"] =
            new("gtwy_editor", AgentAsync, """{"bridge_id":"{0}","type":"response","expected":{},"matching_type":"exact"}"""),
        ["GET /api/testcases/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["PUT /api/testcases/{agent_id}"] = new("gtwy_editor", CaseAsync, """{"name":"{unique}"}"""),
        ["DELETE /api/testcases/{agent_id}"] = new("gtwy_editor", CaseAsync),
        ["DELETE /api/testcases"] = new("gtwy_editor", CaseAsync, """{"testCaseIds":["{0}"]}"""),
        ["DELETE /api/testcases/agent/{agent_id}"] = new("gtwy_editor", TriedAgentAsync),
        ["GET /api/alerting"] = new("gtwy_caller"),
        ["POST /api/alerting"] = new(
            "gtwy_editor", Body: """{"name":"{unique}","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"]}"""),
        ["PUT /api/alerting/{id}"] = new("gtwy_editor", AlertAsync, """{"limit":1}"""),
        ["DELETE /api/alerting"] = new("gtwy_editor", AlertAsync, """{"id":"{0}"}"""),
        ["POST /api/thread"] = new("gtwy_caller", Body: """{"thread_id":"{unique}"}"""),
        ["GET /api/auth/auth_token"] = new("gtwy_admin"),
        ["POST /api/auth"] = new("gtwy_admin", Body: """{"name":"App","redirection_url":"https://app.example.org/"}"""),
        ["GET /api/auth"] = new("gtwy_caller"),
        ["GET /api/auth/client_info"] = new("gtwy_caller") { Answers = [400] },
        ["POST /api/auth/verify"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["GET /api/org/auth_token"] = new("gtwy_admin"),
        ["POST /api/org"] = new("gtwy_admin", Body: """{"name":"App","redirection_url":"https://app.example.org/"}"""),
        ["GET /api/org"] = new("gtwy_caller"),
        ["GET /api/org/client_info"] = new("gtwy_caller") { Answers = [400] },
        ["POST /api/org/verify"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        // A key gets no token: it is no person.
        ["POST /api/utils/token"] = new("gtwy_editor", Body: """{"type":"org"}""") { Answers = [403, 503] },
        ["POST /api/prompt_wrappers"] = new("gtwy_editor", Body: """{"name":"{unique}","template":"{{system_prompt}}"}"""),
        ["GET /api/prompt_wrappers"] = new("gtwy_caller"),
        ["GET /api/prompt_wrappers/{wrapper_id}"] = new("gtwy_caller", WrapperAsync),
        ["PUT /api/prompt_wrappers/{wrapper_id}"] = new("gtwy_editor", WrapperAsync, """{"name":"{unique}"}"""),
        ["DELETE /api/prompt_wrappers/{wrapper_id}"] = new("gtwy_editor", WrapperAsync),
        ["POST /api/rich_ui_templates"] = new("gtwy_editor", Body: """{"name":"{unique}","template_format":{}}"""),
        ["GET /api/rich_ui_templates"] = new("gtwy_caller"),
        ["PUT /api/rich_ui_templates/{template_id}"] = new("gtwy_editor", TemplateAsync, """{"name":"{unique}"}"""),
        ["DELETE /api/rich_ui_templates/{template_id}"] = new("gtwy_editor", TemplateAsync),
        ["GET /api/prebuilt_prompt"] = new("gtwy_caller"),
        ["PUT /api/prebuilt_prompt"] = new("gtwy_editor", Body: """{"gpt_memory":"{unique}"}"""),
        ["POST /api/prebuilt_prompt/reset"] = new("gtwy_editor", Body: """{"prompt_id":"gpt_memory"}"""),
        ["GET /api/prebuilt_prompt/{prompt_key}"] = new("gtwy_caller", Always("gpt_memory")) { Whose = Whose.Everybodys },
        // The matrix's host has no key of a provider.
        ["POST /api/utils/call-gtwy"] = new("gtwy_editor", Body: """{"type":"generate_json","example_json":{}}""") { Answers = [400] },
        ["POST /api/thread/ai"] = new("gtwy_caller", Body: """{"thread_id":"{unique}","user":"Hello"}"""),
        ["POST /chatbot/{botId}/resetchat"] =
            new("gtwy_caller", Always("bot"), """{"threadId":"talk","slugName":"nobody"}""") { Whose = Whose.Everybodys, Answers = [404] },
        ["POST /api/v2/model/openai/responses"] = new("gtwy_caller", Body: """{"model":"nobody","input":"Hi"}""") { Answers = [400] },
        ["GET /api/history/{agent_id}/{bridge_slugName}"] =
            new("gtwy_caller", Always("talk", "nobody")) { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/v1/config/gethistory-chatbot/{thread_id}/{bridge_slugName}"] =
            new("gtwy_caller", Always("talk", "nobody")) { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/thread/{thread_id}"] = new("gtwy_caller", Always("talk")) { Whose = Whose.Everybodys },

        ["GET /api/orchestrator/history/{orchestrator_id}"] = new("gtwy_caller", AgentAsync),
        // Their bodies are forms.
        ["POST /image/processing"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["POST /files"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["POST /image/processing/upload"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["POST /files/upload"] = new("gtwy_caller", Body: "{}") { Answers = [400] },
        ["POST /api/local/login"] =
            new(AccessRule.Anyone, Body: """{"email":"nobody@example.org","password":"wrong"}""") { Answers = [401, 429] },
        // The matrix's host has no secret to sign tokens with; keys are nobody's.
        ["POST /api/user/localToken"] = new("gtwy_session") { Answers = [503] },
        ["POST /api/user/switchOrg"] =
            new("gtwy_caller", Body: """{"orgId":"00000000-0000-0000-0000-0000000000ff"}""") { Answers = [403, 404] },
        ["POST /api/user/logout"] = new("gtwy_caller") { Answers = [200, 400] },
        ["PUT /api/user/updateDetails"] = new("gtwy_caller", Body: """{"user":{"meta":{}}}""") { Answers = [200, 403] },
        ["DELETE /api/user/deleteUser"] = new("gtwy_admin", MemberAsync, """{"user_id":"{0}"}"""),
        ["GET /api/utils/users-details"] = new("gtwy_caller"),
        ["GET /api/internal/info"] = new("gtwy_caller"),
        ["POST /api/validateCauthKey"] = new("gtwy_service", Body: """{"cAuthKey":"x"}"""),
        ["GET /api/c/getDetails"] = new("gtwy_session"),
        ["GET /api/c/getCompanies"] = new("gtwy_session"),
        ["POST /api/c/createCompany"] = new("gtwy_session", Body: """{"company":{"name":"Porch"}}"""),
        ["POST /api/c/switchCompany"] = new("gtwy_session", OrganizationAsync, """{"company_ref_id":"{0}"}"""),
        ["GET /api/c/getUsers"] = new("gtwy_session"),
        ["POST /api/c/addUser"] = new("gtwy_session_admin", Body: """{"user":{"email":"{unique}@example.org"}}"""),
        ["GET /api/c/authkey"] = new("gtwy_session_admin"),
        ["POST /api/c/authkey"] = new("gtwy_session_admin", Body: """{"name":"{unique}"}"""),
        ["DELETE /api/c/authkey/{id}"] = new("gtwy_session_admin", KeyAsync),
        ["DELETE /api/c/logout"] = new("gtwy_session"),
        ["DELETE /api/utils/agent/{agent_id}"] = new("gtwy_admin", AgentAsync),
        ["POST /rtlayer/message"] = new("gtwy_caller", Body: """{"channel":"{unique}","message":"\"Hello\"","ttl":1}"""),
        // A channel is one of the caller's organization, whatever it is called; too long a name is none, and ends the stream at once.
        ["GET /api/stream/{channel}"] = new("gtwy_caller", Always(new string('c', 513))) { Whose = Whose.Everybodys, Answers = [400] },
    };

    private static GtwyCaller CallerOf(MatrixCaller owner) => new(
        owner.OrganizationId!.Value, owner.OrganizationId.Value.ToString(),
        null, null, null, null, GtwyRole.Admin, IsEmbed: false, FolderId: null,
        Key: null);

    private static async Task<string[]> AgentAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var wanted = NewAgent.Of(new() { ["name"] = world.Unique("agent") });
        return [(await world.WithAsync<AgentStore, Agent>(agents => agents.CreateAsync(CallerOf(owner), wanted, ct))).Id];
    }

    /// <summary>An agent and its version.</summary>
    private static async Task<string[]> DraftAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [.. (await VersionAsync(world, owner, ct)).Reverse()];

    /// <summary>A version and its agent.</summary>
    private static async Task<string[]> VersionAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var agent = (await AgentAsync(world, owner, ct))[0];
        var versions = await world.WithAsync<AgentStore, Dictionary<string, List<string>>>(
            agents => agents.VersionsAsync(owner.OrganizationId!.Value, [agent], ct));
        return [versions[agent][0], agent];
    }

    /// <summary>An agent, the thread and the conversation of its one run, or the run's message.</summary>
    private static async Task<string[]> RunAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var (agent, run) = await AddRunAsync(world, owner, ct);
        return [agent, run.ThreadId, run.MessageId];
    }

    private static async Task<string[]> MessageAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await AddRunAsync(world, owner, ct)).Run.MessageId];

    private static async Task<string[]> NumberAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var (agent, run) = await AddRunAsync(world, owner, ct);
        return [agent, $"{run.Number}"];
    }

    private static async Task<string[]> MarkAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        ["1", (await AddRunAsync(world, owner, ct)).Run.MessageId];

    private static async Task<string[]> ThreadAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        ["talk", (await AgentAsync(world, owner, ct))[0]];

    private static async Task<string[]> SubThreadAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        ["talk", "part", (await AgentAsync(world, owner, ct))[0]];

    private static async Task<(string Agent, AgentRun Run)> AddRunAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var agent = (await AgentAsync(world, owner, ct))[0];
        var now = TimeProvider.System.GetUtcNow();
        // Its conversation is called as its message, so that one maker does for all paths.
        var message = world.Unique("message");
        var run = new AgentRun
        {
            Id = Guid.CreateVersion7(now), CreatedAt = now, UpdatedAt = now, OrganizationId = owner.OrganizationId!.Value, AgentId = agent,
            ThreadId = "talk", SubThreadId = message, MessageId = message,
            Service = "demo", Model = "demo", IsSuccess = true, Document = [],
        };
        await AddAsync(world, run, ct);
        return (agent, run);
    }

    private static async Task<string[]> AlertAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var alert = new Alert
        {
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value,
            Name = world.Unique("alert"), Document = [],
            CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        await AddAsync(world, alert, ct);
        return [alert.Id];
    }

    private static async Task<string[]> CaseAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await AddCaseAsync(world, owner, ct)).Id];

    private static async Task<string[]> TriedAgentAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await AddCaseAsync(world, owner, ct)).AgentId];

    private static async Task<TestCase> AddCaseAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var test = new TestCase
        {
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value,
            AgentId = (await AgentAsync(world, owner, ct))[0],
            Name = "case", Document = [], CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        await AddAsync(world, test, ct);
        return test;
    }

    private static async Task<string[]> ProviderKeyAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var key = await world.WithAsync<ProviderKeyStore, ProviderKey>(keys => keys.AddAsync(
            CallerOf(owner), world.Unique("key"), "demo", "sk-of-nothing", "working", SpendingTerms.Of([], "apikey"), ct));
        return [key.Id];
    }

    private static Task<AgentTool> ToolAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        world.WithAsync<ToolStore, AgentTool>(
        tools => tools.SaveAsync(CallerOf(owner), world.Unique("script"), "t", _ => new() { ["fields"] = new JsonObject() }, ct));

    private static async Task<string[]> FunctionAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await ToolAsync(world, owner, ct)).Id];

    private static async Task<string[]> ScriptAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await ToolAsync(world, owner, ct)).ScriptId];

    private static async Task<string[]> FolderAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await world.WithAsync<FolderStore, Folder>(
            folders => folders.AddAsync(CallerOf(owner), world.Unique("folder"), "agent", [], ct))).Id];

    private static async Task<string[]> TemplateAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        var template = new RichUiTemplate
        {
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value, Name = world.Unique("template"),
            Document = [], CreatedAt = now, UpdatedAt = now,
        };
        await world.WithAsync<GatewayDb>(async db =>
        {
            db.Add(template);
            await db.SaveChangesAsync(ct);
        });
        return [template.Id];
    }

    private static async Task<string[]> WrapperAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        var wrapper = new PromptWrapper
        {
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value, Name = world.Unique("wrapper"),
            Template = PromptWrapper.Placeholder, CreatedAt = now, UpdatedAt = now,
        };
        await world.WithAsync<GatewayDb>(async db =>
        {
            db.Add(wrapper);
            await db.SaveChangesAsync(ct);
        });
        return [wrapper.Id];
    }
}

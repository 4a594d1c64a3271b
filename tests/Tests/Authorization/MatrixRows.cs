using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Stoa.Gateway;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Files;
using Stoa.Gateway.Folders;
using Stoa.Gateway.History;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Responses;
using Stoa.Gateway.TestCases;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Platform.Privacy;
using Stoa.Platform.Webhooks;
using Stoa.Tests.Support;

namespace Stoa.Tests.Authorization;

/// <summary>What the matrix must know of one operation beyond its document.</summary>
/// <param name="Rule">Who it is for, once more: whoever changes a route's rule says so here too.</param>
/// <param name="Object">
/// Makes a fresh object of the given caller. Its values go into the parameters of the path and, as <c>{0}</c>, into the body.
/// </param>
/// <param name="Body"><c>{unique}</c> becomes a word that was not used before.</param>
internal sealed record MatrixRow(string Rule, MatrixRow.Make? Object = null, string? Body = null)
{
    public delegate Task<string[]> Make(MatrixWorld world, MatrixCaller owner, CancellationToken ct);

    public Whose Whose { get; init; }

    /// <summary>Operators see what belongs to no organization here, which may name anybody.</summary>
    public bool ShowsOperatorsAll { get; init; }

    /// <summary>What somebody who may is answered, where that is not a success.</summary>
    public IReadOnlyList<int> Answers { get; init; } = [];

    /// <summary>What a stranger is answered; an original's wire may say something other than 401.</summary>
    public int Stranger { get; init; } = 401;

    /// <summary>What is answered for something that is not the caller's; an original's wire may say something other than 404.</summary>
    public int Missing { get; init; } = 404;
}

/// <summary>Whose an operation's objects are.</summary>
internal enum Whose
{
    /// <summary>The organization's: all whom the rule lets in may have them.</summary>
    Organizations,

    /// <summary>One person's, and nobody else's.</summary>
    Persons,

    /// <summary>One person's or key's; admins of the organization see them too.</summary>
    PersonsAndAdmins,

    /// <summary>Nobody's: a stranger may have them as well.</summary>
    Everybodys,
}

/// <summary>One row for each operation. A new route adds its own.</summary>
internal static class MatrixRows
{
    private const string ServedTree = """
        {"trees":[{"conversation":[{"role":"user","text":"{unique}"}],"candidates":[
          {"text":"one","source":{"name":"a"}},{"text":"two","source":{"name":"b"}}]}]}
        """;

    /// <summary>One that the matrix's host declares.</summary>
    public const string Schedule = "matrix.schedule";

    /// <summary>Of nothing that there is: it must not be asked for before the caller is known.</summary>
    private const string Unknown = "01980000-0000-7000-8000-000000000000";

    private const string Chat = """{"model":"demo/demo","messages":[{"role":"user","content":"Hello"}],"max_tokens":16}""";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["GET /healthz"] = new(AccessRule.Anyone),
        ["GET /readyz"] = new(AccessRule.Anyone),
        ["GET /openapi/{surface}.json"] = new(AccessRule.Anyone, Always("stoa")) { Whose = Whose.Everybodys },

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
        ["POST /v1/batches"] = new(AccessRule.Key, FileAsync, """{"input_file_id":"{0}","endpoint":"/v1/chat/completions","completion_window":"24h"}"""),
        ["GET /v1/batches"] = new(AccessRule.Key),
        ["GET /v1/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.OpenAi)),
        ["POST /v1/batches/{id}/cancel"] = new(AccessRule.Key, BatchOf(BatchKind.OpenAi)),
        ["POST /v1/messages/batches"] = new(AccessRule.Key, Body: """{"requests":[{"custom_id":"a","params":{"model":"demo/demo"}}]}"""),
        ["GET /v1/messages/batches"] = new(AccessRule.Key),
        ["GET /v1/messages/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["GET /v1/messages/batches/{id}/results"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["POST /v1/messages/batches/{id}/cancel"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),
        ["DELETE /v1/messages/batches/{id}"] = new(AccessRule.Key, BatchOf(BatchKind.Anthropic)),

        // What other systems' credentials open opens to none of the matrix's callers; the wires' own tests try theirs.
        ["GET /api/v1/auth/check"] = new("next_auth") { Stranger = 403 },
        ["POST /api/v1/tasks"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["POST /api/v1/tasks/availability"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["POST /api/v1/tasks/{task_id}/ack"] = new("api_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/tasks/{task_id}/nack"] = new("api_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/tasks/interaction"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["POST /api/v1/tasks/close"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["GET /api/v1/messages"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/messages/cursor"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/messages/{message_id}"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["DELETE /api/v1/messages/{message_id}"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/conversation"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/tree/state"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["PUT /api/v1/messages/{message_id}/tree/state"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/children"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/descendants"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/longest_conversation_in_tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/max_children_in_tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["PUT /api/v1/messages/{message_id}/undelete"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/messages/{message_id}/edit"] = new("trusted_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/history"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/messages/{message_id}/emoji"] = new("api_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/conversation"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/children"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/descendants"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/longest_conversation_in_tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/max_children_in_tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/users/{user_id}/messages"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["DELETE /api/v1/users/{user_id}/messages"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/users/{user_id}/messages/cursor"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_users/{auth_method}/{username}/messages"] = new("api_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["DELETE /api/v1/frontend_users/{auth_method}/{username}/messages"] = new("trusted_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_users/{auth_method}/{username}/messages/cursor"] = new("api_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/text_labels"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["GET /api/v1/text_labels/valid_labels"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/text_labels/report_labels"] = new(AccessRule.Anyone),
        ["POST /api/v1/admin/api_client"] = new("root", Body: """{"description":"{unique}","frontend_type":"web"}""") { Stranger = 403 },
        ["GET /api/v1/users/by_username"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/by_display_name"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/cursor"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/{user_id}"] = new("api_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["PUT /api/v1/users/{user_id}"] = new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["DELETE /api/v1/users/{user_id}"] = new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats"] = new("api_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats/{time_frame}"] = new("api_client", Always("00000000-0000-7000-8000-00000000000a", "day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats/{time_frame}/window"] = new("api_client", Always("00000000-0000-7000-8000-00000000000a", "day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/frontend_users"] = new("api_client") { Stranger = 403 },
        ["POST /api/v1/frontend_users"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/frontend_users/{auth_method}/{username}"] = new("api_client", Always("local", "ada")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/stats"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager/state_counts"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager/message_counts"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/cached"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/stats/cached/{name}"] = new("api_client", Always("message_trees_by_state")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/stats/cached/update"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/leaderboards/{time_frame}"] = new("api_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/leaderboards/update"] = new("trusted_client") { Stranger = 403 },
        ["POST /api/v1/leaderboards/update/{time_frame}"] = new("trusted_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/trollboards/{time_frame}"] = new("trusted_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/login/discord"] = new(AccessRule.Anyone) { Answers = [404] },
        ["GET /api/v1/callback/discord"] = new(AccessRule.Anyone) { Answers = [404] },
        ["GET /api/v1/hf/text_toxicity"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/backend_settings/full"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/backend_settings/public"] = new("api_client") { Stranger = 403 },
        ["POST /api/v1/admin/purge_user/{user_id}"] = new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/admin/purge_user/{user_id}/messages"] = new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/admin/flagged_messages"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/flagged_messages/cursor"] = new("trusted_client") { Stranger = 403 },
        ["POST /api/v1/admin/flagged_messages/{message_id}/processed"] = new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/admin/merge_users"] = new("trusted_client") { Stranger = 403 },

        ["POST /api/stoa/feedback/trees"] = new(AccessRule.Member, Body: ServedTree),
        ["GET /api/stoa/feedback/preferences"] = new(AccessRule.Viewer),
        ["GET /api/stoa/feedback/agreement"] = new(AccessRule.Operator),
        ["GET /api/stoa/feedback/gold"] = new(AccessRule.Operator),
        ["PUT /api/stoa/feedback/gold/{message_id}"] =
            new(AccessRule.Operator, Always("00000000-0000-7000-8000-00000000000a"), """{"labels":{"spam":1}}""") { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/stoa/feedback/messages/{message_id}/similar"] =
            new(AccessRule.Operator, Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/stoa/feedback/annotators"] = new(AccessRule.Operator),

        ["GET /api/stoa/keys"] = new(AccessRule.Admin),
        ["POST /api/stoa/keys"] = new(AccessRule.Admin, Body: """{"name":"{unique}"}"""),
        ["GET /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["DELETE /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["POST /api/stoa/keys/{id}/rotate"] = new(AccessRule.Admin, KeyAsync, """{"overlap_minutes":5}"""),
        ["GET /api/stoa/usage"] = new(AccessRule.Viewer),
        ["GET /api/stoa/usage/calls"] = new(AccessRule.Viewer),
        ["GET /api/stoa/prices"] = new(AccessRule.Viewer),
        ["POST /api/stoa/prices"] = new(AccessRule.Operator, Body: """{"provider":"openai","model":"{unique}","input":1,"output":2}"""),
        ["GET /api/stoa/budgets"] = new(AccessRule.Admin),
        ["PUT /api/stoa/budgets/organization"] = new(AccessRule.Admin, Body: """{"amount":1000000}"""),
        ["DELETE /api/stoa/budgets/organization"] = new(AccessRule.Admin),
        ["PUT /api/stoa/budgets/keys/{id}"] = new(AccessRule.Admin, KeyAsync, """{"amount":1000000,"period":"weekly"}"""),
        ["DELETE /api/stoa/budgets/keys/{id}"] = new(AccessRule.Admin, KeyAsync),

        ["POST /api/metrics"] = new("gtwy_caller", Body: """{"range":1,"factor":"model"}"""),
        ["POST /api/metrics/agent"] = new("gtwy_caller", Body: "{}"),
        // Of an agent that is not the caller's there is no history, and so nothing in the answer.
        ["GET /api/analytics/agent/{bridge_id}"] = new("gtwy_caller", AgentAsync) { Whose = Whose.Everybodys },
        ["GET /api/analytics/agent/{bridge_id}/filters"] = new("gtwy_caller", AgentAsync) { Whose = Whose.Everybodys },

        ["GET /api/agent"] = new("gtwy_caller"),
        ["POST /api/agent"] = new("gtwy_editor", Body: """{"name":"{unique}"}"""),
        // He may copy his own agent, but to nowhere else.
        ["POST /api/agent/clone"] = new("gtwy_editor", AgentAsync, """{"agent_id":"{0}","to_shift_org_id":"nowhere"}""") { Answers = [403] },
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
            "gtwy_caller", DraftAsync, """{"user":"Hi","flag":true,"version_id":"{1}","service":"demo","configuration":{"model":"demo"}}""") { Missing = 400 },
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
        ["GET /api/history/message/testcase/history/message_id/{message_id}"] = new("gtwy_caller", MessageAsync),
        ["POST /api/v2/model/batch/chat/completion"] = new(
            "gtwy_caller", Body: """{"service":"demo","configuration":{"model":"demo"},"batch":["Hi"],"webhook":{"url":"https://receiver.invalid/"}}"""),
        ["GET /api/batch"] = new("gtwy_caller"),
        ["GET /api/batch/status/{batch_id}"] = new("gtwy_caller", BatchOf(BatchKind.Gtwy)),
        ["POST /api/batch/cancel/{batch_id}"] = new("gtwy_caller", BatchOf(BatchKind.Gtwy)),
        ["GET /api/batch/history/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["GET /api/batch/history/count/{agent_id}"] = new("gtwy_caller", AgentAsync),
        ["GET /api/v1/config/threads/{thread_id}/{bridge_id}"] = new("gtwy_caller", ThreadAsync),
        ["GET /api/v1/config/get-message-history/{thread_id}/{bridge_id}"] = new("gtwy_caller", ThreadAsync),
        ["POST /api/v1/config/threads/{thread_id}/{bridge_id}"] = new("gtwy_editor", ThreadAsync, """{"message":"m"}"""),
        ["POST /api/v1/config/threads/{thread_id}/{sub_thread_id}/{bridge_id}"] = new("gtwy_editor", SubThreadAsync, """{"message":"m"}"""),
        ["GET /api/v1/config/history/sub-thread/{thread_id}"] = new("gtwy_caller", Always("talk")) { Whose = Whose.Everybodys, Answers = [400] },
        ["POST /api/v1/config/getFineTuneData/{bridge_id}"] = new("gtwy_caller", AgentAsync, """{"thread_ids":["talk"]}"""),
        ["PUT /api/v1/config/gethistory/{bridge_id}"] = new("gtwy_editor", NumberAsync, """{"message":"m","id":{1}}"""),
        ["PUT /api/v1/config/status/{status}"] = new("gtwy_caller", MarkAsync, """{"message_id":"{1}"}"""),
        ["GET /api/v1/config/getuserupdates/{version_id}"] = new("gtwy_caller", Always("none")) { Whose = Whose.Everybodys },
        ["POST /api/testcases/create"] = new("gtwy_editor", AgentAsync, """{"bridge_id":"{0}","type":"response","expected":{},"matching_type":"exact"}"""),
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
        ["GET /api/thread/{thread_id}"] = new("gtwy_caller", Always("talk")) { Whose = Whose.Everybodys },

        ["POST /api/local/login"] = new(AccessRule.Anyone, Body: """{"email":"nobody@example.org","password":"wrong"}""") { Answers = [401, 429] },
        // The matrix's host has no secret to sign tokens with; keys are nobody's.
        ["POST /api/user/localToken"] = new("gtwy_session") { Answers = [503] },
        ["POST /api/user/switchOrg"] = new("gtwy_caller", Body: """{"orgId":"00000000-0000-0000-0000-0000000000ff"}""") { Answers = [403, 404] },
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

        ["GET /api/stoa/webhooks/secrets"] = new(AccessRule.Admin),
        ["POST /api/stoa/webhooks/secrets"] = new(AccessRule.Admin, Body: """{"overlap_minutes":5}"""),
        ["DELETE /api/stoa/webhooks/secrets/{id}"] = new(AccessRule.Admin, WebhookSecretAsync),
        ["GET /api/stoa/webhooks/deliveries"] = new(AccessRule.Admin),
        ["GET /api/stoa/webhooks/deliveries/{id}"] = new(AccessRule.Admin, DeliveryAsync),
        ["POST /api/stoa/webhooks/deliveries/{id}/resend"] = new(AccessRule.Admin, DeliveryAsync),
        ["GET /api/stoa/queue"] = new(AccessRule.Operator),
        ["POST /api/stoa/queue/replay"] = new(AccessRule.Operator, Body: """{"limit":1}"""),
        ["POST /rtlayer/message"] = new("gtwy_caller", Body: """{"channel":"{unique}","message":"\"Hello\"","ttl":1}"""),
        // A channel is one of the caller's organization, whatever it is called; too long a name is none, and ends the stream at once.
        ["GET /api/stream/{channel}"] = new("gtwy_caller", Always(new string('c', 513))) { Whose = Whose.Everybodys, Answers = [400] },

        ["POST /api/stoa/sessions"] = new(AccessRule.Anyone, Body: """{"email":"nobody@example.org","password":"wrong"}""") { Answers = [401, 429] },
        ["DELETE /api/stoa/sessions/current"] = new(AccessRule.Caller) { Answers = [204, 409] },
        ["GET /api/stoa/me"] = new(AccessRule.Caller),
        ["PATCH /api/stoa/me"] = new(AccessRule.Person, Body: """{"name":"Somebody"}"""),
        ["PUT /api/stoa/me/password"] = new(AccessRule.Person, Body: """{"new_password":"short"}""") { Answers = [400] },
        ["PUT /api/stoa/me/email"] = new(AccessRule.Person, Body: """{"email":"{unique}@example.org"}""") { Answers = [400, 409] },
        ["PUT /api/stoa/me/organization"] = new(AccessRule.Person, OrganizationAsync, """{"organization_id":"{0}"}"""),
        ["DELETE /api/stoa/me/organizations/{id}"] = new(AccessRule.Person, JoinedAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/sessions"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/sessions"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/sessions/{id}"] = new(AccessRule.Person, SessionAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/accounts"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/accounts/{provider}"] = new(AccessRule.Person, AccountAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/export"] = new(AccessRule.Person),
        ["POST /api/stoa/me/erasure"] = new(AccessRule.Person) { Answers = [202, 409] },
        ["DELETE /api/stoa/me/erasure"] = new(AccessRule.Person),

        ["POST /api/stoa/organizations"] = new(AccessRule.Person, Body: """{"slug":"{unique}","name":"Founded"}"""),
        ["GET /api/stoa/organizations/{id}"] = new(AccessRule.Viewer, OrganizationAsync),
        ["PATCH /api/stoa/organizations/{id}"] = new(AccessRule.Admin, OrganizationAsync, """{"name":"Renamed"}"""),
        ["GET /api/stoa/members"] = new(AccessRule.Admin),
        ["GET /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync),
        ["PATCH /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync, """{"role":"viewer"}"""),
        ["DELETE /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync),
        ["GET /api/stoa/invitations"] = new(AccessRule.Admin),
        ["POST /api/stoa/invitations"] = new(AccessRule.Admin, Body: """{"email":"{unique}@example.org","role":"viewer"}"""),
        ["DELETE /api/stoa/invitations/{id}"] = new(AccessRule.Admin, InvitationAsync),
        ["POST /api/stoa/invitations/accept"] = new(AccessRule.Person, OwnInvitationAsync, """{"token":"{0}"}""") { Whose = Whose.Persons },
        ["GET /api/stoa/principals"] = new(AccessRule.Admin),
        ["POST /api/stoa/principals"] = new(AccessRule.Admin, Body: """{"name":"{unique}"}"""),
        ["DELETE /api/stoa/principals/{id}"] = new(AccessRule.Admin, PrincipalAsync),
        ["GET /api/stoa/audit"] = new(AccessRule.Admin) { ShowsOperatorsAll = true },
        ["GET /api/stoa/people"] = new(AccessRule.Operator),
        ["GET /api/stoa/people/{id}"] = new(AccessRule.Operator, MemberAsync) { Whose = Whose.Everybodys },
        ["PATCH /api/stoa/people/{id}"] = new(AccessRule.Operator, MemberAsync, """{"state":"suspended"}""") { Whose = Whose.Everybodys },
        ["POST /api/stoa/people/{id}/password-reset"] = new(AccessRule.Operator, MemberAsync) { Whose = Whose.Everybodys },

        ["GET /api/stoa/jobs"] = new(AccessRule.Viewer) { ShowsOperatorsAll = true },
        ["GET /api/stoa/jobs/{id}"] = new(AccessRule.Viewer, WaitingJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["GET /api/stoa/jobs/{id}/events"] = new(AccessRule.Viewer, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/cancel"] = new(AccessRule.Viewer, WaitingJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/retry"] = new(AccessRule.Admin, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/replay"] = new(AccessRule.Admin, DeadJobAsync, "{}") { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/replay"] = new(AccessRule.Admin, Body: """{"kind":"no.such"}"""),
        ["DELETE /api/stoa/jobs/{id}"] = new(AccessRule.Admin, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["GET /api/stoa/jobs/kinds"] = new(AccessRule.Operator),
        ["POST /api/stoa/jobs/kinds/{kind}/pause"] = new(AccessRule.Operator, Always(ErasePerson.Kind)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/kinds/{kind}/resume"] = new(AccessRule.Operator, Always(ErasePerson.Kind)) { Whose = Whose.Everybodys },
        ["GET /api/stoa/jobs/schedules"] = new(AccessRule.Operator),
        ["POST /api/stoa/jobs/schedules/{name}/pause"] = new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/schedules/{name}/resume"] = new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/schedules/{name}/run"] = new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys, Answers = [201, 409] },
    };

    private static MatrixRow.Make Always(params string[] values) => (_, _, _) => Task.FromResult(values);

    private static GtwyCaller CallerOf(MatrixCaller owner) => new(
        owner.OrganizationId!.Value, owner.OrganizationId.Value.ToString(), null, null, null, null, GtwyRole.Admin, IsEmbed: false, FolderId: null,
        Key: null);

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
        var id = FileStore.NewId();
        var organization = owner.OrganizationId!.Value;
        await world.WithAsync<FileStore>(async files =>
        {
            using var content = new MemoryStream([(byte)'x']);
            var bytes = await files.WriteAsync(organization, id, content, FileStore.MaxBytes, ct);
            await files.AddAsync(organization, id, "file", "batch", bytes, lifetime: null, ct);
        });
        return [id];
    }

    private static MatrixRow.Make BatchOf(BatchKind kind) => async (world, owner, ct) =>
    {
        var key = new ApiKey(Guid.Empty, owner.OrganizationId!.Value, "test", "", default, IsAdmin: true, null, null, null, null, null);
        var id = world.Unique("batch_");
        await world.WithAsync<BatchStore>(batches => batches.AddAsync(
            batches.Make(id, kind, key, "/v1/chat/completions") with { Status = BatchStatus.Completed, EndedAt = TimeProvider.System.GetUtcNow() }, [], ct));
        return [id];
    };

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
            ThreadId = "talk", SubThreadId = message, MessageId = message, Service = "demo", Model = "demo", IsSuccess = true, Document = [],
        };
        await AddAsync(world, run, ct);
        return (agent, run);
    }

    private static async Task<string[]> AlertAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var alert = new Alert
        {
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value, Name = world.Unique("alert"), Document = [],
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
            Id = HexId.Create(TimeProvider.System), OrganizationId = owner.OrganizationId!.Value, AgentId = (await AgentAsync(world, owner, ct))[0],
            Name = "case", Document = [], CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        await AddAsync(world, test, ct);
        return test;
    }

    private static Task AddAsync(MatrixWorld world, object row, CancellationToken ct) => world.WithAsync<GatewayDb>(db =>
    {
        db.Add(row);
        return db.SaveChangesAsync(ct);
    });

    private static async Task<string[]> ProviderKeyAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var key = await world.WithAsync<ProviderKeyStore, ProviderKey>(keys => keys.AddAsync(
            CallerOf(owner), world.Unique("key"), "demo", "sk-of-nothing", "working", SpendingTerms.Of([], "apikey"), ct));
        return [key.Id];
    }

    private static Task<AgentTool> ToolAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) => world.WithAsync<ToolStore, AgentTool>(
        tools => tools.SaveAsync(CallerOf(owner), world.Unique("script"), "t", _ => new() { ["fields"] = new JsonObject() }, ct));

    private static async Task<string[]> FunctionAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) => [(await ToolAsync(world, owner, ct)).Id];

    private static async Task<string[]> ScriptAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) => [(await ToolAsync(world, owner, ct)).ScriptId];

    private static async Task<string[]> FolderAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        [(await world.WithAsync<FolderStore, Folder>(folders => folders.AddAsync(CallerOf(owner), world.Unique("folder"), "agent", [], ct))).Id];

    private static Task<string[]> OrganizationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct) =>
        Task.FromResult<string[]>([owner.OrganizationId!.Value.ToString()]);

    private static async Task<string[]> WebhookSecretAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var secret = await world.WithAsync<WebhookSecrets, WebhookSecret>(async secrets =>
            await world.WithAsync<IdentityDb, WebhookSecret>(async db =>
                (await secrets.RotateAsync(db, owner.OrganizationId!.Value, TimeSpan.FromDays(1), "test", ct)).Row));
        return [secret.Id.ToString()];
    }

    private static async Task<string[]> DeliveryAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        // No job sends it, so that only what a caller does changes it.
        var now = TimeProvider.System.GetUtcNow();
        var delivery = new WebhookDelivery
        {
            Id = Guid.CreateVersion7(now), OrganizationId = owner.OrganizationId!.Value, WebhookId = world.Unique("webhook"), Kind = "test",
            Url = "http://10.0.0.1/", Body = "{}", State = WebhookState.Delivered, CreatedAt = now, UpdatedAt = now,
        };
        await world.WithAsync<WebhookDb>(db =>
        {
            db.Deliveries.Add(delivery);
            return db.SaveChangesAsync(ct);
        });
        return [delivery.Id.ToString()];
    }

    private static async Task<string[]> KeyAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var key = await world.KeyAsync(owner.OrganizationId!.Value, isAdmin: false, ct);
        return [key.Row.Id.ToString()];
    }

    private static async Task<string[]> MemberAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var person = await world.MemberAsync(owner.OrganizationId!.Value, MemberRole.Member, ct);
        return [person.Id.ToString()];
    }

    /// <summary>An organization of somebody else's in which he is a member.</summary>
    private static async Task<string[]> JoinedAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var organization = await world.OrganizationAsync(world.Unique("joined"), ct);
        var person = await world.PersonOfAsync(owner, ct);
        await world.WithAsync<MemberStore>(members => members.AddAsync(organization, person, MemberRole.Viewer, "test", ct));
        return [organization.ToString()];
    }

    private static async Task<string[]> SessionAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var session = await world.SessionAsync(await world.PersonOfAsync(owner, ct), ct);
        return [session.Id.ToString()];
    }

    /// <summary>One of two, as the last way in cannot be taken away.</summary>
    private static async Task<string[]> AccountAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var person = await world.PersonOfAsync(owner, ct);
        var provider = world.Unique("provider");
        foreach (var name in (string[])[provider, world.Unique("provider")])
        {
            await world.WithAsync<PersonStore>(people => people.LinkAsync(person, new(name, world.Unique("subject"), null, false), "test", ct));
        }
        return [provider];
    }

    private static async Task<string[]> InvitationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var made = await world.InvitationAsync(owner.OrganizationId!.Value, $"{world.Unique("guest")}@example.org", ct);
        return [made.Invitation.Id.ToString()];
    }

    /// <summary>The token of an invitation to him.</summary>
    private static async Task<string[]> OwnInvitationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var guest = await world.PersonOfAsync(owner, ct);
        var person = await world.WithAsync<PersonStore, Person?>(people => people.FindAsync(guest, ct));
        var organization = await world.OrganizationAsync(world.Unique("host"), ct);
        return [(await world.InvitationAsync(organization, person!.Email!, ct)).Token];
    }

    private static async Task<string[]> PrincipalAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var made = new Principal
        {
            Id = Guid.CreateVersion7(), OrganizationId = owner.OrganizationId!.Value, Name = "program", CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        await world.WithAsync<IdentityDb>(db =>
        {
            db.Principals.Add(made);
            return db.SaveChangesAsync(ct);
        });
        return [made.Id.ToString()];
    }

    private static async Task<string[]> WaitingJobAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        EnqueueOptions options = new()
        {
            RunAt = TimeProvider.System.GetUtcNow().AddDays(1),
            Owner = new(owner.OrganizationId, owner.PersonId, owner.KeyId),
        };
        var receipt = await world.WithAsync<JobQueue, JobReceipt>(jobs => jobs.EnqueueAsync(new ErasePerson(Guid.Empty), options, ct));
        return [receipt.Id.ToString()];
    }

    private static async Task<string[]> DeadJobAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        JobOwner whose = new(owner.OrganizationId, owner.PersonId, owner.KeyId);
        var id = await world.WithAsync<NpgsqlDataSource, Guid>(source => DeadJob.AddAsync(source, whose, ct));
        return [id.ToString()];
    }
}

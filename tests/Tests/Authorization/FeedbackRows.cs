using Stoa.Platform.Http;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>The routes of Open-Assistant's wire, and the own ones beside them.</summary>
internal static class FeedbackRows
{
    private const string ServedTree = """
        {"trees":[{"conversation":[{"role":"user","text":"{unique}"}],"candidates":[
          {"text":"one","source":{"name":"a"}},{"text":"two","source":{"name":"b"}}]}]}
        """;

    /// <summary>Of nothing that there is: it must not be asked for before the caller is known.</summary>
    private const string Unknown = "01980000-0000-7000-8000-000000000000";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
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
        ["GET /api/v1/messages/{message_id}/conversation"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/tree"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/tree/state"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["PUT /api/v1/messages/{message_id}/tree/state"] =
            new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/children"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/descendants"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/longest_conversation_in_tree"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/max_children_in_tree"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["PUT /api/v1/messages/{message_id}/undelete"] =
            new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/messages/{message_id}/edit"] =
            new("trusted_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/messages/{message_id}/history"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/messages/{message_id}/emoji"] =
            new("api_client", Always(Unknown), Body: "{}") { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/conversation"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/tree"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/children"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/descendants"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/longest_conversation_in_tree"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_messages/{message_id}/max_children_in_tree"] =
            new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/users/{user_id}/messages"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["DELETE /api/v1/users/{user_id}/messages"] = new("trusted_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/users/{user_id}/messages/cursor"] = new("api_client", Always(Unknown)) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_users/{auth_method}/{username}/messages"] =
            new("api_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["DELETE /api/v1/frontend_users/{auth_method}/{username}/messages"] =
            new("trusted_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["GET /api/v1/frontend_users/{auth_method}/{username}/messages/cursor"] =
            new("api_client", Always("local", "nobody")) { Stranger = 403, Whose = Whose.Everybodys },
        ["POST /api/v1/text_labels"] = new("api_client", Body: "{}") { Stranger = 403 },
        ["GET /api/v1/text_labels/valid_labels"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/text_labels/report_labels"] = new(AccessRule.Anyone),
        ["POST /api/v1/admin/api_client"] = new("root", Body: """{"description":"{unique}","frontend_type":"web"}""") { Stranger = 403 },
        ["GET /api/v1/users/by_username"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/by_display_name"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/cursor"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/users/{user_id}"] =
            new("api_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["PUT /api/v1/users/{user_id}"] =
            new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["DELETE /api/v1/users/{user_id}"] =
            new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats"] =
            new("api_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats/{time_frame}"] =
            new("api_client", Always("00000000-0000-7000-8000-00000000000a", "day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/users/{user_id}/stats/{time_frame}/window"] =
            new("api_client", Always("00000000-0000-7000-8000-00000000000a", "day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/frontend_users"] = new("api_client") { Stranger = 403 },
        ["POST /api/v1/frontend_users"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/frontend_users/{auth_method}/{username}"] =
            new("api_client", Always("local", "ada")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/stats"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager/state_counts"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager/message_counts"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/tree_manager"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/stats/cached"] = new("api_client") { Stranger = 403 },
        ["GET /api/v1/stats/cached/{name}"] =
            new("api_client", Always("message_trees_by_state")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/stats/cached/update"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/leaderboards/{time_frame}"] = new("api_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/leaderboards/update"] = new("trusted_client") { Stranger = 403 },
        ["POST /api/v1/leaderboards/update/{time_frame}"] =
            new("trusted_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/trollboards/{time_frame}"] = new("trusted_client", Always("day")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/login/discord"] = new(AccessRule.Anyone) { Answers = [404] },
        ["GET /api/v1/callback/discord"] = new(AccessRule.Anyone) { Answers = [404] },
        ["GET /api/v1/hf/text_toxicity"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/backend_settings/full"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/backend_settings/public"] = new("api_client") { Stranger = 403 },
        ["POST /api/v1/admin/purge_user/{user_id}"] =
            new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/admin/purge_user/{user_id}/messages"] =
            new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["GET /api/v1/admin/flagged_messages"] = new("trusted_client") { Stranger = 403 },
        ["GET /api/v1/admin/flagged_messages/cursor"] = new("trusted_client") { Stranger = 403 },
        ["POST /api/v1/admin/flagged_messages/{message_id}/processed"] =
            new("trusted_client", Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Stranger = 403 },
        ["POST /api/v1/admin/merge_users"] = new("trusted_client") { Stranger = 403 },

        ["POST /api/stoa/feedback/trees"] = new(AccessRule.Member, Body: ServedTree),
        ["GET /api/stoa/feedback/preferences"] = new(AccessRule.Viewer),
        ["GET /api/stoa/feedback/agreement"] = new(AccessRule.Operator),
        ["GET /api/stoa/feedback/gold"] = new(AccessRule.Operator),
        ["PUT /api/stoa/feedback/gold/{message_id}"] =
            new(AccessRule.Operator, Always("00000000-0000-7000-8000-00000000000a"),
                """{"labels":{"spam":1}}""") { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/stoa/feedback/messages/{message_id}/similar"] =
            new(AccessRule.Operator, Always("00000000-0000-7000-8000-00000000000a")) { Whose = Whose.Everybodys, Answers = [404] },
        ["GET /api/stoa/feedback/annotators"] = new(AccessRule.Operator),
    };
}

using System.Text.Json.Nodes;

namespace Stoa.Gateway.History;

/// <summary>A run as GTWY's clients read it.</summary>
internal static class ConversationLog
{
    /// <summary>What a chat window shows of a run; prompts, variables and the like are not for those who chat.</summary>
    private static readonly string[] OfWindows =
    [
        "id", "llm_message", "user", "chatbot_message", "error", "user_feedback",
        "message_id", "sub_thread_id", "thread_id", "version_id", "bridge_id",
        "user_urls", "llm_urls", "plans", "created_at", "updated_at",
    ];

    public static JsonObject Shown(AgentRun run, string orgId)
    {
        var log = Of(run, orgId);
        return new(OfWindows.Select(name => KeyValuePair.Create(name, log[name]?.DeepClone())));
    }

    /// <param name="orgId">As the caller's wire names the organization.</param>
    public static JsonObject Of(AgentRun run, string orgId)
    {
        var log = run.Document.DeepClone().AsObject();
        log["id"] = run.Number;
        log["org_id"] = orgId;
        log["bridge_id"] = run.AgentId;
        log["version_id"] = run.VersionId;
        log["thread_id"] = run.ThreadId;
        log["sub_thread_id"] = run.SubThreadId;
        log["message_id"] = run.MessageId;
        log["parent_id"] = run.ParentId;
        log["child_id"] = run.ChildId;
        log["service"] = run.Service;
        log["model"] = run.Model;
        log["status"] = run.IsSuccess;
        log["is_cached"] = run.IsCached;
        log["finish_reason"] = run.FinishReason;
        log["user_feedback"] = run.UserFeedback;
        log["user"] = run.UserMessage;
        log["llm_message"] = run.Answer;
        log["error"] = run.Error;
        log["testcase_id"] = run.TestcaseId;
        log["created_at"] = run.CreatedAt;
        log["updated_at"] = run.UpdatedAt;
        return log;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Feedback.HuggingFace;
using Stoa.Feedback.Seeds;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Administration;

/// <summary>The settings under the names that the original gives them. Secrets are never shown, only whether they are set.</summary>
internal sealed class BackendSettings(
    IOptions<FeedbackOptions> options, IOptions<HuggingFaceOptions> huggingFace,
    IOptions<NextAuthOptions> cookie, IOptions<DiscordOptions> discord,
    IOptions<SeedOptions> seed)
{
    private const string Masked = "**********";

    public JsonObject Public() => new()
    {
        ["PROJECT_NAME"] = options.Value.ProjectName,
        ["API_V1_STR"] = "/api/v1",
        ["MESSAGE_SIZE_LIMIT"] = options.Value.MessageSizeLimit,
        ["DEBUG_USE_SEED_DATA"] = seed.Value.Enabled,
        ["DEBUG_ALLOW_SELF_LABELING"] = options.Value.AllowSelfLabeling,
        ["DEBUG_SKIP_EMBEDDING_COMPUTATION"] = !huggingFace.Value.MakesEmbeddings,
        ["DEBUG_SKIP_TOXICITY_CALCULATION"] = !huggingFace.Value.ChecksToxicity,
        ["DEBUG_DATABASE_ECHO"] = false,
        ["USER_STATS_INTERVAL_DAY"] = options.Value.StatsInterval.Day,
        ["USER_STATS_INTERVAL_WEEK"] = options.Value.StatsInterval.Week,
        ["USER_STATS_INTERVAL_MONTH"] = options.Value.StatsInterval.Month,
        ["USER_STATS_INTERVAL_TOTAL"] = options.Value.StatsInterval.Total,
    };

    /// <summary>What concerns a database of the original's own is left out: there is none.</summary>
    public JsonObject Full()
    {
        var settings = Public();
        var limits = options.Value.RateLimit;
        foreach (var (name, value) in (ReadOnlySpan<(string, JsonNode?)>)[
            ("OFFICIAL_WEB_API_KEY", Masked), ("ROOT_TOKENS", new JsonArray(Masked)), ("AUTH_INFO", cookie.Value.Info), ("AUTH_SALT", ""),
            ("AUTH_LENGTH", 32), ("AUTH_SECRET", Masked), ("AUTH_COOKIE_NAME", cookie.Value.CookieName), ("AUTH_ALGORITHM", "HS256"),
            ("AUTH_ACCESS_TOKEN_EXPIRE_MINUTES", 30), ("AUTH_DISCORD_CLIENT_ID", discord.Value.ClientId ?? ""),
            ("AUTH_DISCORD_CLIENT_SECRET", Mask(discord.Value.ClientSecret) ?? ""), ("RATE_LIMIT", limits.Enabled),
            ("DEBUG_ALLOW_SELF_RANKING", options.Value.AllowSelfRanking),
            ("DEBUG_ALLOW_DUPLICATE_TASKS", options.Value.AllowDuplicateTasks),
            ("DEBUG_IGNORE_TOS_ACCEPTANCE", options.Value.IgnoreTosAcceptance),
            ("DUPLICATE_MESSAGE_FILTER_WINDOW_MINUTES", options.Value.DuplicateMessageFilterWindowMinutes),
            ("HUGGING_FACE_API_KEY", Mask(huggingFace.Value.ApiKey) ?? ""), ("TASK_VALIDITY_MINUTES", options.Value.TaskValidityMinutes),
            ("USER_STREAK_UPDATE_INTERVAL", 4), ("CACHED_STATS_UPDATE_INTERVAL", options.Value.StatsInterval.Cached),
            ("RATE_LIMIT_TASK_USER_TIMES", limits.UserTimes), ("RATE_LIMIT_TASK_USER_MINUTES", limits.UserMinutes),
            ("RATE_LIMIT_TASK_API_TIMES", limits.ClientTimes), ("RATE_LIMIT_TASK_API_MINUTES", limits.ClientMinutes),
            ("RATE_LIMIT_ASSISTANT_USER_TIMES", limits.AssistantTimes), ("RATE_LIMIT_ASSISTANT_USER_MINUTES", limits.AssistantMinutes),
            ("RATE_LIMIT_PROMPTER_USER_TIMES", limits.PrompterTimes), ("RATE_LIMIT_PROMPTER_USER_MINUTES", limits.PrompterMinutes),
            ("tree_manager", TreeManager(options.Value.TreeManager)),
        ])
        {
            settings[name] = value;
        }
        return settings;
    }

    private static JsonObject TreeManager(TreeManagerOptions rules)
    {
        var tree = JsonSerializer.SerializeToNode(rules, AdministrationJson.Default.TreeManagerOptions)!.AsObject();
        foreach (var (name, own, usual) in (ReadOnlySpan<(string, List<string>, string[])>)[
            ("labels_initial_prompt", rules.LabelsInitialPrompt, Label.OfPrompter),
            ("labels_prompter_reply", rules.LabelsPrompterReply, Label.OfPrompter),
            ("labels_assistant_reply", rules.LabelsAssistantReply, Label.OfAssistant),
            ("mandatory_labels_initial_prompt", rules.MandatoryLabelsInitialPrompt, [Label.Spam]),
            ("mandatory_labels_prompter_reply", rules.MandatoryLabelsPrompterReply, [Label.Spam]),
            ("mandatory_labels_assistant_reply", rules.MandatoryLabelsAssistantReply, [Label.Spam]),
        ])
        {
            tree[name] = new JsonArray([.. (own.Count > 0 ? own : [.. usual]).Select(label => JsonValue.Create(label))]);
        }
        return tree;
    }

    private static string? Mask(string? secret) => string.IsNullOrEmpty(secret) ? null : Masked;
}

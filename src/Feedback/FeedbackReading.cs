using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Administration;
using Stoa.Feedback.Agreement;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Collection;
using Stoa.Feedback.Commands;
using Stoa.Feedback.Consistency;
using Stoa.Feedback.Datasets;
using Stoa.Feedback.HuggingFace;
using Stoa.Feedback.Privacy;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Reports;
using Stoa.Feedback.Search;
using Stoa.Feedback.Seeds;
using Stoa.Feedback.Statistics;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Platform;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Privacy;

namespace Stoa.Feedback;

/// <summary>The side of the module that nobody waits for while he contributes: users, figures, files, administration.</summary>
internal static class FeedbackReading
{
    public static void AddReading(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddJson(ReadingJson.Default);
        services.AddJson(AdministrationJson.Default);
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<FlaggedMessages>();
        services.AddSingleton<MergeUsers>();
        services.AddSingleton<PurgeUser>();
        services.AddSingleton<BackendSettings>();

        services.AddSingleton<BoardStore>();
        services.AddSingleton<SystemFigures>();
        services.AddSingleton<BoardUpdates>();
        services.AddJob<UpdateBoards, UpdateBoardsHandler>(UpdateBoards.Kind, ReadingJson.Default.UpdateBoards);
        services.AddJob<UpdateCachedStats, UpdateCachedStatsHandler>(UpdateCachedStats.Kind, ReadingJson.Default.UpdateCachedStats);
        services.AddJob<ResetStreaks, ResetStreaksHandler>(ResetStreaks.Kind, ReadingJson.Default.ResetStreaks);
        var every = Settings.Read<FeedbackOptions>(builder.Configuration, FeedbackOptions.Section).StatsInterval;
        foreach (var (frame, minutes) in (ReadOnlySpan<(TimeFrame, int)>)[
            (TimeFrame.Day, every.Day), (TimeFrame.Week, every.Week), (TimeFrame.Month, every.Month), (TimeFrame.Total, every.Total)])
        {
            services.AddSchedule(
                $"{UpdateBoards.Kind}.{frame.ToString().ToLowerInvariant()}",
                new UpdateBoards(frame, Everyone: false), TimeSpan.FromMinutes(minutes));
        }
        services.AddSchedule($"{UpdateBoards.Kind}.everyone", new UpdateBoards(TimeFrame.Total, Everyone: true), "25 3 * * *");
        services.AddSchedule(UpdateCachedStats.Kind, new UpdateCachedStats(), TimeSpan.FromMinutes(every.Cached));
        services.AddSchedule(ResetStreaks.Kind, new ResetStreaks(), ResetStreaks.Every);

        services.AddSingleton<TreeSource>();
        services.AddSingleton<TreeActivation>();
        services.AddSingleton<TreeImport>();
        services.AddSingleton<Rerank>();
        services.AddSingleton<RetryScoring>();
        services.AddSingleton<TreeCheck>();
        services.AddSingleton<StateRebuild>();
        services.AddSingleton<AgentAnswers>();
        services.AddSingleton<ServedTrees>();
        services.AddSingleton<Preferences>();
        services.AddSingleton<GoldLabels>();
        services.AddSingleton<AgreementFigures>();
        // What a handler of jobs is made of is scoped.
        services.AddScoped(provider => new FeedbackCommands(provider));

        services.AddSettings<SeedOptions>(SeedOptions.Section);
        builder.AddAlias("DEBUG_USE_SEED_DATA", "Feedback:Seed:Enabled");
        builder.AddAlias("DEBUG_USE_SEED_DATA_PATH", "Feedback:Seed:Path");
        services.AddSingleton<SeedData>();
        services.AddHostedService(provider => provider.GetRequiredService<SeedData>());

        services.AddSettings<ReportOptions>(ReportOptions.Section);
        builder.AddAlias("DISCORD_API_KEY", "Feedback:Reports:DiscordApiKey");
        builder.AddAlias("DISCORD_CHANNEL_ID", "Feedback:Reports:DiscordChannelId");
        services.AddEgressClient(SendReportHandler.Client);
        services.AddSingleton<ReportChannel>();
        services.AddJob<SendReport, SendReportHandler>(SendReport.Kind, ReportJson.Default.SendReport);

        services.AddEgressClient(DiscordLogin.Client, egress => egress.TotalTimeout = TimeSpan.FromSeconds(15));
        services.AddSingleton<DiscordLogin>();
        services.AddJson(DiscordLoginJson.Default);

        services.AddSingleton<SimilarMessages>();
        services.AddScoped<IPersonalData, FeedbackData>();
        services.AddJob<IndexMessages, IndexMessagesHandler>(IndexMessages.Kind, ReadingJson.Default.IndexMessages);
        services.AddSchedule(IndexMessages.Kind, new IndexMessages(), IndexMessages.Every);

        services.AddSettings<HuggingFaceOptions>(HuggingFaceOptions.Section);
        builder.AddAlias("HUGGING_FACE_API_KEY", "Feedback:HuggingFace:ApiKey");
        builder.AddAlias("DEBUG_SKIP_TOXICITY_CALCULATION", "Feedback:HuggingFace:SkipToxicity");
        builder.AddAlias("DEBUG_SKIP_EMBEDDING_COMPUTATION", "Feedback:HuggingFace:SkipEmbedding");
        // Whoever asks decides about waiting: a route not at all, a job by its own rules.
        services.AddEgressClient(HuggingFaceClient.Client, egress => (egress.Retries, egress.BreakAfter) = (0, 1_000));
        services.AddSingleton<HuggingFaceClient>();
        services.AddJob<AnalyzeMessage, AnalyzeMessageHandler>(
            AnalyzeMessage.Kind, ReadingJson.Default.AnalyzeMessage, AnalyzeMessage.Rules);
        services.AddJob<FindUnanalyzed, FindUnanalyzedHandler>(FindUnanalyzed.Kind, ReadingJson.Default.FindUnanalyzed);
        services.AddSchedule(FindUnanalyzed.Kind, new FindUnanalyzed(), FindUnanalyzed.Every, MissedRuns.Skip);
    }

    /// <summary>Below <c>/api/stoa</c>.</summary>
    public static void MapOwnReading(this IEndpointRouteBuilder own)
    {
        own.MapCollection();
        own.MapAgreement();
    }

    public static void MapReading(this IEndpointRouteBuilder surface)
    {
        surface.MapUsers();
        surface.MapFrontendUsers();
        surface.MapStatistics();
        surface.MapAdministration();
        surface.MapHuggingFace();
        surface.MapDiscordLogin();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(UpdateBoards))]
[JsonSerializable(typeof(UpdateCachedStats))]
[JsonSerializable(typeof(ResetStreaks))]
[JsonSerializable(typeof(AnalyzeMessage))]
[JsonSerializable(typeof(FindUnanalyzed))]
[JsonSerializable(typeof(IndexMessages))]
[JsonSerializable(typeof(NewTrees))]
[JsonSerializable(typeof(MadeTrees))]
[JsonSerializable(typeof(PreferenceFigures))]
[JsonSerializable(typeof(AgreementView))]
[JsonSerializable(typeof(SimilarMessagesView))]
[JsonSerializable(typeof(AgreementApi.NewGold))]
[JsonSerializable(typeof(Listing<GoldItem>))]
[JsonSerializable(typeof(Listing<AnnotatorTrust>))]
internal sealed partial class ReadingJson : JsonSerializerContext;

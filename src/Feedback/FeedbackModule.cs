using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Labels;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Feedback;

/// <summary>What people say about answers: trees of messages, the tasks that make them grow, reviews, rankings, figures.</summary>
public static class FeedbackModule
{
    public static WebApplicationBuilder AddFeedback(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddMigrations("feedback", typeof(FeedbackModule).Assembly);
        services.AddErrorDialect("/api/v1", OasstErrors.Instance);
        services.AddJson(FeedbackJson.Default);
        services.AddSettings<FeedbackOptions>(FeedbackOptions.Section);
        builder.AddFeedbackAliases();
        services.AddSingleton<UserStore>();
        services.AddSingleton<FeedbackChanges>();
        services.AddSingleton<TreeKeeper>();
        services.AddSingleton<TaskStore>();
        services.AddSingleton<Acknowledgements>();
        services.AddSingleton<TaskLimits>();
        services.AddSingleton<Interactions>();
        services.AddSingleton<TextReplies>();
        services.AddSingleton<RankingAnswers>();
        services.AddSingleton<LabelAnswers>();
        services.AddSingleton<MessageLists>();
        services.AddSingleton<MessageViews>();
        services.AddSingleton<MessageActs>();
        services.AddJob<DrawPrompts, DrawPromptsHandler>(DrawPrompts.Kind, FeedbackJson.Default.DrawPrompts);
        services.AddJob<ActivateBacklog, ActivateBacklogHandler>(ActivateBacklog.Kind, FeedbackJson.Default.ActivateBacklog);
        services.AddJob<ModerateMessage, ModerateMessageHandler>(ModerateMessage.Kind, FeedbackJson.Default.ModerateMessage);
        services.AddJob<TidyTasks, TidyTasksHandler>(TidyTasks.Kind, FeedbackJson.Default.TidyTasks);
        services.AddSchedule(TidyTasks.Kind, new TidyTasks(), TidyTasks.Every);

        services.AddSettings<FeedbackAuthOptions>(FeedbackAuthOptions.Section);
        services.AddSingleton<IPostConfigureOptions<FeedbackAuthOptions>, DevelopmentAuth>();
        services.AddSingleton<IValidateOptions<FeedbackAuthOptions>, FeedbackAuthOptionsValidator>();
        services.AddSingleton<ApiClients>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiClients>());
        services.AddReadiness(
            "api clients", "not read yet", provider => provider.GetRequiredService<ApiClients>().WhenLoaded(CancellationToken.None));
        builder.AddAlias("OFFICIAL_WEB_API_KEY", "Feedback:Auth:OfficialWebApiKey");
        builder.AddListAlias("Feedback:Auth:RootTokens", "ROOT_TOKENS");
        builder.AddReading();
        return builder;
    }

    public static IEndpointRouteBuilder MapFeedback(this IEndpointRouteBuilder routes)
    {
        var surface = routes.MapGroup("/api/v1").WithGroupName("feedback").WithErrors(OasstErrors.Instance).DescribesActingUser();
        surface.MapAuth();
        surface.MapApiClients();
        surface.MapTasks();
        surface.MapMessages();
        surface.MapFrontendMessages();
        surface.MapUserMessages();
        surface.MapTextLabels();
        surface.MapReading();
        routes.MapOwnApi().MapOwnReading();
        return routes;
    }
}

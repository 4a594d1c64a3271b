using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Background;
using Stoa.Assistants.Live;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Todos;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Assistants.Cortexes;

internal static class ThinkingServices
{
    /// <summary>What cortexes think with, those about executions and to-dos, and how clients hear of it.</summary>
    public static IServiceCollection AddThinking(this IServiceCollection services)
    {
        services.AddSingleton<IStartupFilter, OneSlash>();
        services.AddScoped<Mind>();
        services.AddScoped<ExecutionSubjects>();
        services.AddScoped<ExecutionTitles>();
        services.AddScoped<SessionTitles>();
        services.AddJob<SummarizeExecution, SummarizeExecutionCortex>(
            SummarizeExecution.Kind, AssistantsJson.Default.SummarizeExecution, CortexRules.Interactive);
        services.AddJob<NameSession, NameSessionCortex>(
            NameSession.Kind, AssistantsJson.Default.NameSession, CortexRules.Interactive);
        services.AddJob<ForgetGiven, ForgetGivenHandler>(ForgetGiven.Kind, AssistantsJson.Default.ForgetGiven, ScheduleRules.Default);
        services.AddSchedule(ForgetGiven.Kind, new ForgetGiven(), TimeSpan.FromHours(1));
        services.AddTodos();
        return services.AddLive();
    }

    private static IServiceCollection AddLive(this IServiceCollection services)
    {
        services.AddSingleton<LiveFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<LiveFeed>());
        services.AddSingleton<LiveStream>();
        services.AddJob<ForgetLiveEvents, ForgetLiveEventsHandler>(
            ForgetLiveEvents.Kind, AssistantsJson.Default.ForgetLiveEvents, ScheduleRules.Default);
        return services.AddSchedule(ForgetLiveEvents.Kind, new ForgetLiveEvents(), TimeSpan.FromHours(1));
    }
}

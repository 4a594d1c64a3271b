using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Code;
using Stoa.Learning.Files;
using Stoa.Learning.Hva;
using Stoa.Learning.Integrations;
using Stoa.Learning.Notifications;
using Stoa.Learning.Privacy;
using Stoa.Learning.PublicApi;
using Stoa.Learning.Traces;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Privacy;

namespace Stoa.Learning;

/// <summary>
/// What surrounds the courses: files, drafts, integrations, keys and exports for programs, news for operators, personal data.
/// </summary>
internal static class LearningServices
{
    public static void AddLearningServices(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<FileLimits>(FileLimits.Section);
        services.AddScoped<LearningFiles>();
        services.AddJson(FilesJson.Default);
        services.AddJson(CodeJson.Default);
        services.AddSettings<HvaOptions>(HvaOptions.Section);
        services.AddJson(HvaJson.Default);
        services.AddScoped<IntegrationStore>();
        services.AddJson(IntegrationsJson.Default);
        services.AddSettings<PublicApiOptions>(PublicApiOptions.Section);
        services.AddScoped<OrganizationKeys>();
        services.AddSingleton<ChatHistory>();
        services.AddScoped<PublicCourses>();
        services.AddJson(PublicApiJson.Default);
        services.AddJson(HealthJson.Default);
        services.AddScoped<IPersonalData, LearningData>();
        builder.AddSchoolNews();
    }

    public static void MapLearningServices(this IEndpointRouteBuilder surface)
    {
        surface.MapFiles();
        surface.MapCode();
        surface.MapHva();
        surface.MapIntegrations();
        surface.MapApiKeys();
        surface.MapPublicApi();
        surface.MapHealth();
    }

    private static void AddSchoolNews(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<SchoolNewsOptions>(SchoolNewsOptions.Section);
        var times = Settings.Read<SchoolNewsOptions>(builder.Configuration, SchoolNewsOptions.Section);
        services.AddSingleton<SchoolNews>();
        services.AddJob<TellSlack, TellSlackHandler>(TellSlack.Kind, SchoolNewsJson.Default.TellSlack, TellSlack.Rules);
        services.AddJob<TellUsage, TellUsageHandler>(TellUsage.Kind, SchoolNewsJson.Default.TellUsage, TellSlack.Rules);
        services.AddSchedule(TellUsage.Kind, new TellUsage(), times.UsageAt.Cron, times.UsageAt.Zone);
        services.AddSingleton<SpanTable>();
        services.AddSingleton<Conversations>();
        services.AddSingleton<ConversationArchive>();
        services.AddJob<SaveTraces, SaveTracesHandler>(SaveTraces.Kind, TraceJson.Default.SaveTraces, SaveTraces.Rules);
        services.AddSchedule(SaveTraces.Kind, new SaveTraces(), times.TracesAt.Cron, times.TracesAt.Zone);
    }
}

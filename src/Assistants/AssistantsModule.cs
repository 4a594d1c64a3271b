using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Background;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents;
using Stoa.Assistants.Engines;
using Stoa.Assistants.Events;
using Stoa.Assistants.Jobs;
using Stoa.Assistants.Live;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Todos;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Assistants;

/// <summary>Work in the background for a person.</summary>
public static class AssistantsModule
{
    public static WebApplicationBuilder AddAssistants(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddMigrations("assistants", typeof(AssistantsModule).Assembly);
        services.AddModuleDb<AssistantsDb>();
        services.AddJson(AssistantsJson.Default);
        services.AddSettings<AssistantsOptions>(AssistantsOptions.Section);
        services.AddSingleton<IValidateOptions<AssistantsOptions>, AssistantsOptionsValidator>();
        services.AddSingleton<EngineLimits>();
        services.AddErrorDialect("/assistants", MojodexErrors.Instance);
        services.AddErrorDialect("/background", MojodexErrors.Instance);
        services.AddSettings<MojodexAuthOptions>(MojodexAuthOptions.Section);
        services.AddSingleton<IPostConfigureOptions<MojodexAuthOptions>, DevelopmentSecret>();
        services.AddSingleton<IValidateOptions<MojodexAuthOptions>, MojodexAuthOptionsValidator>();
        services.AddSingleton<MojodexTokens>();
        services.AddWork(Settings.Read<EventsOptions>(builder.Configuration, EventsOptions.Section).IsScheduled);
        builder.AddAlias("JWT_SECRET", "Assistants:Auth:TokenSecret");
        builder.AddAlias("ENCODING_ALGORITHM", "Assistants:Auth:TokenAlgorithm");
        builder.AddAlias("TOKEN_SECRET_SPLITTER", "Assistants:Auth:SubjectSplitter");
        builder.AddAlias("MOJODEX_SCHEDULER_SECRET", "Assistants:Auth:SchedulerSecret");
        builder.AddAlias("MOJODEX_BACKGROUND_SECRET", "Assistants:Auth:BackgroundSecret");
        builder.AddAlias("BACKOFFICE_SECRET", "Assistants:Auth:BackofficeSecret");
        builder.AddAlias("MOJODEX_WEBAPP_SECRET", "Assistants:Auth:WebappSecret");
        builder.AddAlias("PURCHASE_UPDATER_SOCKETIO_SECRET", "Assistants:Auth:PurchaseUpdaterSecret");
        builder.AddEvents();
        services.AddThinking();
        services.AddDocuments();
        return builder;
    }

    public static IEndpointRouteBuilder MapAssistants(this IEndpointRouteBuilder routes)
    {
        var surface = routes.MapGroup("/assistants").WithGroupName("assistants").WithErrors(MojodexErrors.Instance).AllowAnyOrigin();
        surface.MapWork();
        surface.MapTitles();
        surface.MapTodos();
        surface.MapJobs();
        surface.MapLive();
        surface.MapDocuments();
        surface.MapEventRoutes();
        var background = routes.MapGroup("/background").WithGroupName("assistants").WithErrors(MojodexErrors.Instance);
        background.MapThinking();
        background.MapDocumentBackground();
        background.MapEventsGeneration();
        return routes;
    }
}

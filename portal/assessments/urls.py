from __future__ import annotations

from django.urls import path

from portal.assessments import editor_views, export_views, review_views, views

app_name = "assessments"

urlpatterns = [
    path("personas/<uuid:pk>/ficha/", views.sheet, name="sheet"),
    path("personas/<uuid:pk>/ficha/cambios/", views.changes, name="changes"),
    path("personas/<uuid:pk>/ficha/version/", views.newer_version, name="newer_version"),
    path(
        "personas/<uuid:pk>/ficha/<slug:domain>/aceptar/",
        review_views.accept_domain,
        name="accept_domain",
    ),
    path("cuestionarios/", editor_views.questionnaires, name="questionnaires"),
    path("cuestionarios/equipo/<int:team>/borrador/", editor_views.start, name="start_draft"),
    path("cuestionarios/equipo/<int:team>/importar/", editor_views.import_file, name="import"),
    path("cuestionarios/<int:pk>/", editor_views.questionnaire, name="questionnaire"),
    path("cuestionarios/<int:pk>/xlsform/", editor_views.export, name="export"),
    path("cuestionarios/<int:pk>/nombre/", editor_views.rename, name="rename"),
    path("cuestionarios/<int:pk>/publicar/", editor_views.publish, name="publish"),
    path("cuestionarios/<int:pk>/descartar/", editor_views.discard, name="discard"),
    path("cuestionarios/<int:pk>/ambitos/", editor_views.new_domain, name="new_domain"),
    path("cuestionarios/ambitos/<int:pk>/", editor_views.domain, name="domain"),
    path("cuestionarios/ambitos/<int:pk>/mover/", editor_views.move_domain, name="move_domain"),
    path(
        "cuestionarios/ambitos/<int:pk>/borrar/", editor_views.delete_domain, name="delete_domain"
    ),
    path(
        "cuestionarios/ambitos/<int:pk>/preguntas/", editor_views.new_question, name="new_question"
    ),
    path("cuestionarios/preguntas/<int:pk>/", editor_views.question, name="question"),
    path(
        "cuestionarios/preguntas/<int:pk>/mover/", editor_views.move_question, name="move_question"
    ),
    path(
        "cuestionarios/preguntas/<int:pk>/borrar/",
        editor_views.delete_question,
        name="delete_question",
    ),
    path("respuestas/<int:pk>/", views.answer, name="answer"),
    path(
        "personas/<uuid:pk>/ficha/descargar/<str:chosen>/",
        export_views.participant,
        name="take",
    ),
    path("respuestas/<int:pk>/decision/", review_views.decide, name="decide"),
    path("respuestas/<int:pk>/historia/", views.history, name="history"),
    path("sugerencias/<int:pk>/", review_views.suggestion, name="suggestion"),
    path("fichas/descargar/", export_views.teams, name="take_all"),
]

"""What DICOM's basic profile of confidentiality does to an attribute.

Source: DICOM PS3.15, table E.1-1, column "Basic Prof.",
https://dicom.nema.org/medical/dicom/current/output/chtml/part15/chapter_E.html. Of its attributes those that a CT image
file can hold, without those of radiotherapy, photographs and presentation states; later editions add more.

Codes: X remove, Z empty, D put a dummy in its place, U put another UID in its place; X/Z and the like: the first that
the object's definition allows; U* the UIDs inside.
"""

from __future__ import annotations

_BY_CODE = {
    "X": """
        AcquisitionComments AcquisitionProtocolDescription ActualHumanPerformersSequence AdditionalPatientHistory
        AdmissionID AdmittingDate AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription AdmittingTime Allergies
        Arbitrary AuthorObserverSequence BranchOfService CassetteID ClinicalTrialProtocolEthicsCommitteeApprovalNumber
        ClinicalTrialSeriesDescription ClinicalTrialSeriesID ClinicalTrialTimePointDescription
        CommentsOnRadiationDose CommentsOnThePerformedProcedureStep ConfidentialityConstraintOnPatientDataDescription
        ConsultingPhysicianIdentificationSequence ContributionDescription CountryOfResidence CurrentPatientLocation
        CurveDate CurveTime CustodialOrganizationSequence DataSetTrailingPadding DecompositionDescription
        DerivationDescription DeviceDescription DigitalSignaturesSequence DischargeDiagnosisDescription EthnicGroup
        ExpectedCompletionDateTime FrameComments GantryID GeneratorID HumanPerformerName HumanPerformerOrganization
        IconImageSequence IdentifyingComments ImageComments ImagePresentationComments ImagingServiceRequestComments
        Impressions InstanceCoercionDateTime InstanceOriginStatus InstitutionAddress InstitutionalDepartmentName
        InstitutionalDepartmentTypeCodeSequence InsurancePlanIdentification
        IntendedRecipientsOfResultsIdentificationSequence InterpretationApproverSequence InterpretationAuthor
        InterpretationDiagnosisDescription InterpretationIDIssuer InterpretationRecorder InterpretationText
        InterpretationTranscriber IssuerOfAdmissionID IssuerOfAdmissionIDSequence IssuerOfPatientID
        IssuerOfServiceEpisodeID IssuerOfServiceEpisodeIDSequence LastMenstrualDate LongDeviceDescription MAC
        MedicalAlerts MedicalRecordLocator MilitaryRank ModifiedAttributesSequence ModifiedImageDescription
        ModifyingDeviceID MultienergyAcquisitionDescription NameOfPhysiciansReadingStudy
        NamesOfIntendedRecipientsOfResults NonconformingModifiedAttributesSequence NonconformingDataElementValue
        Occupation OrderCallbackPhoneNumber OrderCallbackTelecomInformation OrderEnteredBy OrderEntererLocation
        OriginalAttributesSequence OtherPatientIDs OtherPatientIDsSequence OtherPatientNames OverlayComments OverlayData
        OverlayDate OverlayTime ParticipantSequence PatientAddress PatientAge PatientBirthName PatientBirthTime
        PatientComments PatientInstitutionResidence PatientInsurancePlanCodeSequence PatientMotherBirthName
        PatientPrimaryLanguageCodeSequence PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference
        PatientSize PatientState PatientTelecomInformation PatientTelephoneNumbers PatientTransportArrangements
        PatientWeight PerformedLocation PerformedProcedureStepDescription PerformedProcedureStepEndDate
        PerformedProcedureStepEndDateTime PerformedProcedureStepEndTime PerformedProcedureStepID
        PerformedProcedureStepStartDate PerformedProcedureStepStartDateTime PerformedProcedureStepStartTime
        PerformedStationAETitle PerformedStationGeographicLocationCodeSequence PerformedStationName
        PerformedStationNameCodeSequence PerformingPhysicianIdentificationSequence PerformingPhysicianName
        PersonAddress PersonTelecomInformation PersonTelephoneNumbers PhysicianApprovingInterpretation
        PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence PhysiciansReadingStudyIdentificationSequence
        PlateID PreMedication PregnancyStatus ReasonForRequestedProcedureCodeSequence ReasonForStudy
        ReasonForTheImagingServiceRequest ReasonForTheRequestedProcedure ReasonForVisit ReasonForVisitCodeSequence
        ReferencedDigitalSignatureSequence ReferencedPatientAliasSequence ReferencedPatientPhotoSequence
        ReferencedPatientSequence ReferencedSOPInstanceMACSequence ReferringPhysicianAddress
        ReferringPhysicianIdentificationSequence ReferringPhysicianTelephoneNumbers RegionOfResidence
        RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments RequestedProcedureID
        RequestedProcedureLocation RequestedSeriesDescription RequestingPhysician RequestingService
        RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization ResponsiblePerson ResultsComments
        ResultsDistributionListSequence ResultsIDIssuer ScheduledHumanPerformersSequence
        ScheduledPatientInstitutionResidence ScheduledPerformingPhysicianIdentificationSequence
        ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepEndDate
        ScheduledProcedureStepEndTime ScheduledProcedureStepExpirationDateTime ScheduledProcedureStepID
        ScheduledProcedureStepLocation ScheduledProcedureStepModificationDateTime ScheduledProcedureStepStartDate
        ScheduledProcedureStepStartDateTime ScheduledProcedureStepStartTime ScheduledStationAETitle
        ScheduledStationGeographicLocationCodeSequence ScheduledStationName ScheduledStationNameCodeSequence
        ScheduledStudyLocation ScheduledStudyLocationAETitle SeriesDescription ServiceEpisodeDescription
        ServiceEpisodeID SmokingStatus SpecialNeeds StudyComments StudyDescription StudyIDIssuer TextComments
        TextString TimezoneOffsetFromUTC TopicAuthor TopicKeywords TopicSubject TopicTitle
        TransducerIdentificationSequence UDISequence UniqueDeviceIdentifier VisitComments XRayDetectorLabel
    """,
    "Z": """
        AccessionNumber ClinicalTrialCoordinatingCenterName ClinicalTrialProtocolName ClinicalTrialSiteID
        ClinicalTrialSiteName ClinicalTrialTimePointID ConsultingPhysicianName FillerOrderNumberImagingServiceRequest
        PatientBirthDate PatientID PatientName PatientSex PlacerOrderNumberImagingServiceRequest ReferringPhysicianName
        StudyDate StudyID StudyTime
    """,
    "D": """
        AcquisitionFieldOfViewLabel ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolID
        ClinicalTrialSponsorName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ContentSequence PersonName
        PersonIdentificationCodeSequence SourceEndDateTime SourceStartDateTime VerifyingObserverName
        VerifyingObserverSequence VerifyingOrganization XRayDetectorID XRaySourceID
    """,
    "U": """
        ConcatenationUID DeviceUID DigitalSignatureUID DimensionOrganizationUID FailedSOPInstanceUIDList
        FrameOfReferenceUID InstanceCreatorUID IrradiationEventUID LargePaletteColorLookupTableUID
        ManufacturerDeviceClassUID MediaStorageSOPInstanceUID PaletteColorLookupTableUID ReferencedFrameOfReferenceUID
        ReferencedSOPInstanceUID ReferencedSOPInstanceUIDInFile RelatedFrameOfReferenceUID SOPInstanceUID
        SeriesInstanceUID SpecimenUID StorageMediaFileSetUID StudyInstanceUID SynchronizationFrameOfReferenceUID
        TargetUID TrackingUID TransactionUID UID
    """,
    "X/Z": """
        AcquisitionContextSequence AcquisitionDate AcquisitionTime BarcodeValue LabelText PatientSexNeutered
        ReferencedStudySequence RequestedProcedureDescription
    """,
    "X/D": """
        AcquisitionDeviceProcessingDescription DetectorID EndAcquisitionDateTime OperatorIdentificationSequence
        ProtocolName SeriesDate SeriesTime StartAcquisitionDateTime
    """,
    "Z/D": "ContentCreatorName ContentDate ContentTime ContrastBolusAgent",
    "X/Z/D": """
        AcquisitionDateTime DeviceSerialNumber InstitutionCodeSequence InstitutionName OperatorsName
        ReferencedPerformedProcedureStepSequence StationName
    """,
    "X/Z/U*": "ReferencedImageSequence SourceImageSequence",
}

BASIC_PROFILE = {keyword: code for code, keywords in _BY_CODE.items() for keyword in keywords.split()}
"""Code of an attribute by its keyword; what is not there, the table does not name."""

PRIVATE_CODE = "X"
"""Code of every attribute of an odd group, unless it is known to be safe."""

CURVE_GROUPS = "(50"
"""What the tags of curves begin with, groups 5000 to 50FF: all of them have code X."""
